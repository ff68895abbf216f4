"""Tell company addresses from free and from disposable ones, by their domain."""

import re

import pandas as pd

from leadml.features._values import map_unique

_ADDRESS = re.compile(r"^\s*[^@\s<>]+@((?:[\w-]+\.)+[^\W\d_]{2,})\s*$")

# Mailboxes that anyone can open, by provider: large ones everywhere, then by country.
FREE_DOMAINS = frozenset(
    """
    gmail.com googlemail.com outlook.com hotmail.com live.com msn.com windowslive.com passport.com
    yahoo.com ymail.com rocketmail.com aol.com aim.com icloud.com me.com mac.com mail.com email.com
    usa.com proton.me protonmail.com protonmail.ch pm.me tutanota.com tutanota.de tuta.io tuta.com
    zoho.com zohomail.com zohomail.eu fastmail.com fastmail.fm hushmail.com hey.com inbox.com
    yandex.com yandex.ru ya.ru mail.ru list.ru bk.ru inbox.ru rambler.ru
    qq.com foxmail.com 163.com 126.com sina.com naver.com daum.net hanmail.net rediffmail.com
    outlook.de outlook.fr outlook.es outlook.pl outlook.at outlook.be outlook.in
    hotmail.de hotmail.fr hotmail.es hotmail.it hotmail.be hotmail.ch hotmail.co.uk hotmail.com.ar
    live.de live.fr live.at live.be live.ca live.co.uk live.com.mx live.com.ar live.nl
    yahoo.de yahoo.fr yahoo.es yahoo.pl yahoo.it yahoo.ca yahoo.in yahoo.co.uk yahoo.co.in
    yahoo.co.jp yahoo.com.mx yahoo.com.ar yahoo.com.br yahoo.com.au aol.de aol.fr aol.co.uk
    comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net
    juno.com optonline.net shaw.ca rogers.com sympatico.ca bigpond.com optusnet.com.au
    btinternet.com virginmedia.com ntlworld.com sky.com talktalk.net blueyonder.co.uk
    gmx.de gmx.net gmx.at gmx.ch gmx.com gmx.eu gmx.info web.de t-online.de freenet.de arcor.de
    magenta.de online.de mail.de email.de posteo.de posteo.net posteo.eu mailbox.org vodafone.de
    unitybox.de kabelmail.de aon.at chello.at a1.net bluewin.ch hispeed.ch sunrise.ch
    wp.pl o2.pl tlen.pl onet.pl onet.eu op.pl vp.pl poczta.onet.pl poczta.fm interia.pl interia.eu
    int.pl gazeta.pl gmail.pl go2.pl prokonto.pl autograf.pl spoko.pl neostrada.pl
    orange.fr wanadoo.fr free.fr aliceadsl.fr sfr.fr neuf.fr cegetel.net club-internet.fr
    laposte.net bbox.fr numericable.fr caramail.com voila.fr skynet.be telenet.be
    telefonica.net movistar.es terra.es ono.com ya.com orange.es vodafone.es euskaltel.net
    jazzfree.com correo.com prodigy.net.mx terra.com terra.com.mx uol.com.br
    libero.it virgilio.it tiscali.it alice.it tin.it ziggo.nl kpnmail.nl seznam.cz centrum.cz
    """.split()  # noqa: SIM905  (a list this long reads better as words)
)

# Addresses that are thrown away after one use; subdomains count too.
DISPOSABLE_DOMAINS = frozenset(
    """
    mailinator.com mailinator.net guerrillamail.com guerrillamail.net guerrillamail.org
    guerrillamail.biz guerrillamail.de guerrillamailblock.com grr.la sharklasers.com spam4.me
    10minutemail.com 10minutemail.net 10minutemail.co.uk 10minutemail.de 20minutemail.com
    20minutemail.it minutemail.com tempmail.com tempmail.net tempmail.de temp-mail.org temp-mail.io
    temp-mail.de temp-mail.com tempmailo.com tempmail.plus tempmailaddress.com tempinbox.com
    tempr.email tempail.com throwawaymail.com throwaway.email trashmail.com trashmail.de
    trashmail.net trashmail.me trash-mail.com trash-mail.de wegwerfmail.de wegwerfmail.net
    wegwerfmail.org wegwerfemail.de wegwerfadresse.de einrot.com spoofmail.de spambog.com
    spambog.de byom.de muellmail.com muell.email yopmail.com yopmail.fr yopmail.net cool.fr.nf
    jetable.org jetable.com jetable.net jetable.fr.nf mail-temporaire.fr mailtemporaire.com
    mail-temporaire.com correotemporal.org tymczasowy-email.pl koszmail.pl tempmail.pl
    getnada.com nada.email maildrop.cc mailnesia.com mailcatch.com mailnull.com mailsac.com
    mailexpire.com mailmoat.com mailforspam.com mytemp.email mohmal.com moakt.com emailondeck.com
    emailfake.com fakeinbox.com fakemail.net fakemailgenerator.com dispostable.com discard.email
    discardmail.com discardmail.de dropmail.me burnermail.io mintemail.com incognitomail.com
    anonbox.net spamgourmet.com spamex.com spam.la getairmail.com inboxkitten.com inboxbear.com
    tmpmail.org tmpmail.net minuteinbox.com mail7.io harakirimail.com crazymailing.com
    luxusmail.org 1secmail.com 1secmail.net 1secmail.org armyspy.com cuvox.de dayrep.com
    fleckens.hu gustr.com jourrapide.com rhyta.com superrito.com teleworm.us
    """.split()  # noqa: SIM905
)


def compute_email_domain(emails: pd.Series) -> pd.Series:
    """Return what sort of domain each e-mail address has, never the address or domain itself.

    Parameters
    ----------
    emails : Series of str, shape (n_leads,)

    Returns
    -------
    Series of str, shape (n_leads,)
        'corporate', 'free' or 'disposable'; NaN where missing or not an address.

    Examples
    --------
    >>> emails = pd.Series(["ann@acme.com", "ann@GMail.com", "x@a.yopmail.com", "ann at acme"])
    >>> compute_email_domain(emails).tolist()
    ['corporate', 'free', 'disposable', nan]
    """
    return map_unique(emails, find_domain_kind)


def find_domain_kind(email: object) -> str | None:
    """Return the sort of domain of one address; None where it is no address."""
    address = _ADDRESS.match(str(email))
    return _kind(address[1].lower()) if address else None


def _kind(domain: str) -> str:
    if domain in FREE_DOMAINS:
        return "free"
    labels = domain.split(".")
    parents = {".".join(labels[start:]) for start in range(len(labels) - 1)}
    return "corporate" if parents.isdisjoint(DISPOSABLE_DOMAINS) else "disposable"
