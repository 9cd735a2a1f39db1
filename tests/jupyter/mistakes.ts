/** Wrong answers that are near at hand, by exercise: TypeScript that runs in place of the reader's function. */
export const MISTAKES: Record<string, string[]> = {
  "00.1 Places of the mask": [
    "(p, a) => (p + a) ** 2",
    "(p, a) => (p + a) * (p + a + 1) / 2",
    "(p, a) => p * p + p * a + a * (a - 1) / 2",
  ],
  "01.1 Split by question": ["() => 0", "(m, share) => 1 - share", "(m, share) => 1 - share ** m"],
  "01.2 What must stay together": [
    "(rows) => new Set(rows.map(([image]) => image)).size",
    "(rows) => new Set(rows.map(([, caseId]) => caseId)).size",
    // The first group that fits takes a row, and groups are never merged.
    `(rows) => {
      const groups: Set<string>[] = [];
      for (const [image, caseId] of rows) {
        const names = [image, ...(caseId === null ? [] : [caseId])];
        const group = groups.find((group) => names.some((name) => group.has(name)));
        if (group) names.forEach((name) => group.add(name));
        else groups.push(new Set(names));
      }
      return groups.length;
    }`,
    // Cases that are not known are one.
    `(rows) => {
      let groups: Set<string>[] = [];
      for (const [image, caseId] of rows) {
        const linked = groups.filter((group) => group.has(image) || group.has(String(caseId)));
        const merged = linked.reduce((all, group) => all.union(group), new Set([image, String(caseId)]));
        groups = [...groups.filter((group) => !linked.includes(group)), merged];
      }
      return groups.length;
    }`,
  ],
  "01.3 Named is not shown": [
    "(k, n) => { const { low, high } = wilsonInterval(k, n); return [low, high]; }",
    "(k, n, recall) => { const { low, high } = wilsonInterval(k, n); return [low / recall, high / recall]; }",
    `(k, n, recall, falseAlarms) => {
      const { low, high } = wilsonInterval(k, n);
      return [low, high].map((named) => (named - falseAlarms) / (recall - falseAlarms));
    }`,
    `(k, n, recall, falseAlarms) => {
      const share = Math.min(1, Math.max(0, (k / n - falseAlarms) / (recall - falseAlarms)));
      const { low, high } = wilsonInterval(share * n, n);
      return [low, high];
    }`,
  ],
  "02.1 Read a plain reply": [
    `(text) => text.split("Q: ").slice(1).map((pair) => pair.trim().split("\\nA: "))`,
  ],
  "03.1 Pairs of a ramp": [
    "(start, end, steps) => steps * end",
    "(start, end, steps) => steps * (end - start) / 2",
  ],
  "03.2 Uses of a pair": ["(share, steps) => share * steps", "(share, steps, pairs) => steps / pairs"],
  "03.3 The rate of an end phase": [
    "(step, steps, phase) => (steps - step) / phase",
    "(step, steps, phase) => Math.min(1, (steps - 1 - step) / phase)",
  ],
  "04.1 Which tokens carry loss": [
    `(imageTokens, question, answer) => [
      ...Array<boolean>(imageTokens + question.length + 2).fill(false),
      ...Array<boolean>(answer.length).fill(true),
      false,
    ]`,
    `(imageTokens, question, answer) => [
      ...Array<boolean>(imageTokens + 1).fill(false),
      ...Array<boolean>(question.length + answer.length + 2).fill(true),
    ]`,
  ],
  "04.2 A loss without knowledge": ["(n) => Math.log2(n)", "(n) => 1 / n"],
  "04.3 The second step of AdamW": ["(_, g2) => -Math.sign(g2)", "(g1, g2) => -(0.9 * g1 + 0.1 * g2)"],
  "05.1 Trained numbers": ["(r, inputs, outputs) => r * inputs * outputs", "(r, inputs) => 2 * r * inputs"],
  "05.2 No longer small": [
    "(inputs, outputs) => Math.floor(inputs * outputs / (inputs + outputs))",
    "(inputs, outputs) => Math.min(inputs, outputs) - 1",
  ],
  "05.3 Tokens for half the rest": ["() => 2", "(beta) => 2 ** beta"],
  "06.1 None of n right": ["() => 0", "(n) => 3 / n", "(n) => 1.96 ** 2 / n"],
  "06.2 How much too narrow": ["() => 1", "(m) => m"],
  "06.3 A judge that always says correct": ["(p) => [p, p]", "(p) => [p, 1]", "() => [1, 0]"],
  "07.1 Rollout with another skip connection": [
    // The first layer on the left.
    `(layers, w) =>
      layers.map((A) => A.map((row, i) => row.map((a, j) => (1 - w) * a + (i === j ? w : 0))))
        .reduce((R, A) => R.map((row) => row.map((_, j) => row.reduce((sum, a, k) => sum + a * A[k][j], 0))))`,
    // Half, whatever is asked; the identity, not weighed; the two weights exchanged.
    ...["a / 2 + (i === j ? 1 / 2 : 0)", "(1 - w) * a + (i === j ? 1 : 0)", "w * a + (i === j ? 1 - w : 0)"]
      .map((step) =>
        `(layers, w) =>
        layers.map((A) => A.map((row, i) => row.map((a, j) => ${step})))
          .reduce((R, A) => A.map((row) => row.map((_, j) => row.reduce((sum, a, k) => sum + a * R[k][j], 0))))`
      ),
  ],
  "07.2 A hit rate with its interval": [
    // The first of equal patches; any of them; a normal interval in place of Wilson's.
    ...[
      "Number(lesions[i].includes(map.indexOf(Math.max(...map))))",
      "Number(lesions[i].some((p) => map[p] === Math.max(...map)))",
    ]
      .map((hit) =>
        `(maps, lesions) => {
          const hits = maps.reduce((sum, map, i) => sum + ${hit}, 0), { low, high } = wilsonInterval(hits, maps.length);
          return [hits / maps.length, low, high];
        }`
      ),
    `(maps, lesions) => {
      const hits = maps.map((map, i) => {
        const best = [...map.keys()].filter((patch) => map[patch] === Math.max(...map));
        return best.filter((patch) => lesions[i].includes(patch)).length / best.length;
      });
      const rate = hits.reduce((sum, hit) => sum + hit, 0) / hits.length;
      const half = 1.96 * Math.sqrt(rate * (1 - rate) / hits.length);
      return [rate, rate - half, rate + half];
    }`,
  ],
  "07.3 The area under a deletion curve": [
    // The weakest first; without the start or without the end; the sum of the heights.
    ...[["map[i] - map[j]", "rank + 0.5"], ["map[j] - map[i]", "rank"], ["map[j] - map[i]", "rank + 1"]]
      .map(([order, shown]) =>
        `(map, worth) =>
          [...map.keys()].sort((i, j) => ${order})
            .reduce((area, patch, rank) => area + worth[patch] * (${shown}) / map.length, 0)`
      ),
    `(map, worth) =>
      [...map.keys()].sort((i, j) => map[j] - map[i])
        .reduce((sum, patch, rank) => sum + worth[patch] * (rank + 0.5), 0)`,
  ],
  "08.1 The rule of table 1": [
    `(gains) => gains.length === 0 ? "not run" : gains.some(([low]) => low > 0) ? "trend" : "not reproduced"`,
    `(gains) => gains.some(([low, , p]) => p < 0.05 && low > 0) ? "trend" : "not reproduced"`,
    `(gains) => gains.length === 0 ? "not run" :
      gains.some(([low, , p]) => p < 0.05 && low > 0) && !gains.some(([, high]) => high < 0) ? "trend" : "not reproduced"`,
    `(gains) => gains.length === 0 ? "not run" : gains.some(([low, , p]) => p < 0.05 && low > 0) ? "trend" : "not reproduced"`,
    `(gains) => gains.length === 0 ? "not run" : gains.every(([, , p]) => p >= 0.05) ? "not reproduced" :
      gains.some(([, high, p]) => p < 0.05 && high < 0) ? "not reproduced" : "trend"`,
  ],
  "08.2 Six more right of 200": [
    "(more) => more",
    "(more) => more < 6 ? 0 : Math.floor((more / 1.96) ** 2)",
    // The first number at which it is found no longer.
    `(more) => {
      let onlyFirst = 0;
      while (mcnemarExact(onlyFirst, onlyFirst + more) < 0.05) onlyFirst++;
      return 2 * onlyFirst + more;
    }`,
  ],
  "08.3 The power of a paired comparison": [
    "() => 0.05",
    // In one direction only; wherever the second is ahead; at the number that is expected.
    ...["mcnemarExact(d - k, k) / 2 < 0.05", "k > d / 2"].map((found) =>
      `(d, q) => {
        let power = 0, ways = 1;
        for (let k = 0; k <= d; k++) {
          if (${found}) power += ways * q ** k * (1 - q) ** (d - k);
          ways *= (d - k) / (k + 1);
        }
        return power;
      }`
    ),
    "(d, q) => Number(mcnemarExact(d - Math.round(d * q), Math.round(d * q)) < 0.05)",
  ],
  "09.1 Without looking": [
    // One answer for all questions; none to new questions; the first answer that was given to a question.
    `(training, test) => {
      const counts = Map.groupBy(training, ([, answer]) => answer);
      const [most] = [...counts].toSorted(([, a], [, b]) => b.length - a.length)[0]!;
      return test.filter(([, answer]) => answer === most).length / test.length;
    }`,
    `(training, test) => {
      const right = test.filter(([question, answer]) => {
        const known = training.filter(([other]) => other === question).map(([, own]) => own);
        const times = (one: string) => known.filter((other) => other === one).length;
        return known.length > 0 && known.every((other) => times(other) <= times(answer));
      });
      return right.length / test.length;
    }`,
    `(training, test) => {
      const first = (question: string) => (training.find(([other]) => other === question) ?? training[0]!)[1];
      return test.filter(([question, answer]) => answer === first(question)).length / test.length;
    }`,
  ],
  "09.2 Enough patients": [
    "() => 30",
    "(p) => Math.ceil(1.96 * p / (1 - p))",
    "(p) => Math.floor(1.96 ** 2 * p * (1 - p)) + 1",
    // The least number for which chance alone is right every time in less than one case of twenty.
    "(p) => Math.ceil(Math.log(0.05) / Math.log(p))",
  ],
  "09.3 A round heart": [
    "(width, height, side, d) => [d * side / Math.max(width, height), d * side / Math.max(width, height)]",
    "(width, height, side, d) => [d * side / height, d * side / width]",
    "(width, height, side, d) => [d, d]",
  ],
};
