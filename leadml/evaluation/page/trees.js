// What each column adds through trees: path-dependent TreeSHAP, exact, for one lead.
// Lundberg et al. 2020, Nature Machine Intelligence 2, 56-67, algorithm 2.

const treeGoesLeft = (tree, split, code, last) => {
  if (code === last) return tree.missing[split] === 1;
  const left = tree.left[split];
  return typeof left === "number" ? code < left : left.includes(code);
};

// a path holds, for each column on it: the column, the share of training leads that take the
// path whatever they have there (zero), whether this lead does (one), and a weight by path length
function extendPath(path, column, zero, one) {
  const made = path.map((step) => ({ ...step }));
  const depth = made.length;
  made.push({ column, zero, one, weight: depth === 0 ? 1 : 0 });
  for (let at = depth - 1; at >= 0; at -= 1) {
    made[at + 1].weight += (one * made[at].weight * (at + 1)) / (depth + 1);
    made[at].weight = (zero * made[at].weight * (depth - at)) / (depth + 1);
  }
  return made;
}

// without one step, as if its column had not been split on
function unwindPath(path, taken) {
  const made = path.map((step) => ({ ...step }));
  const depth = made.length - 1;
  const { zero, one } = path[taken];
  let next = made[depth].weight;
  for (let at = depth - 1; at >= 0; at -= 1) {
    if (one !== 0) {
      const old = made[at].weight;
      made[at].weight = (next * (depth + 1)) / ((at + 1) * one);
      next = old - (made[at].weight * zero * (depth - at)) / (depth + 1);
    } else {
      made[at].weight = (made[at].weight * (depth + 1)) / (zero * (depth - at));
    }
  }
  for (let at = taken; at < depth; at += 1) {
    const { column, zero: z, one: o } = made[at + 1];
    Object.assign(made[at], { column, zero: z, one: o });
  }
  made.pop();
  return made;
}

const sumOfWeights = (path) => path.reduce((total, step) => total + step.weight, 0);

// adds each column's points by `add(column, points)`
function explainTree(tree, codes, lasts, add) {
  const visit = (node, path, column, zero, one) => {
    let steps = extendPath(path, column, zero, one);
    if (node < 0) {
      const value = tree.values[~node];
      for (let at = 1; at < steps.length; at += 1) {
        const rest = sumOfWeights(unwindPath(steps, at));
        add(steps[at].column, rest * (steps[at].one - steps[at].zero) * value);
      }
      return;
    }
    const split = tree.columns[node];
    let inZero = 1;
    let inOne = 1;
    const seen = steps.findIndex((step) => step.column === split);
    if (seen >= 0) {
      inZero = steps[seen].zero;
      inOne = steps[seen].one;
      steps = unwindPath(steps, seen);
    }
    const isLeft = treeGoesLeft(tree, node, codes[split], lasts[split]);
    const [left, right] = tree.children[node];
    visit(left, steps, split, inZero * tree.shares[node], isLeft ? inOne : 0);
    visit(right, steps, split, inZero * (1 - tree.shares[node]), isLeft ? 0 : inOne);
  };
  visit(0, [], -1, 1, 1);
}
