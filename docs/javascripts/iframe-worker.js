// Browsers start no worker for a page that is opened from disk. There, an invisible frame does
// the worker's job, so that the search works without a server.
class IFrameWorker extends EventTarget {
  constructor(url) {
    super()
    this.frame = document.createElement("iframe")
    this.frame.hidden = true
    document.body.append(this.frame)
    const inside = this.frame.contentWindow
    // written once: a frame that is still to load its empty page would forget what follows
    inside.document.open()
    inside.document.write("<!doctype html><body></body>")
    inside.document.close()
    // what the worker says comes here; its scripts are loaded one after the other
    inside.postMessage = data => this.dispatchEvent(new MessageEvent("message", { data }))
    inside.importScripts = (...urls) =>
      urls.reduce((done, next) => done.then(() => this.load(next)), Promise.resolve())
    this.ready = this.load(url)
  }

  load(url) {
    return new Promise((resolve, reject) => {
      const script = this.frame.contentDocument.createElement("script")
      Object.assign(script, { src: url, onload: resolve, onerror: reject })
      this.frame.contentDocument.body.append(script)
    })
  }

  postMessage(data) {
    this.ready.then(() =>
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data }))
    )
  }

  terminate() {
    this.frame.remove()
  }
}

if (location.protocol === "file:") {
  window.IFrameWorker = window.Worker = IFrameWorker
}
