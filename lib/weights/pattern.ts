/**
 * Python's regular expressions, as adapter files carry them in `target_modules`, matched in a time that is bounded by
 * pattern times text: a file must not be able to hang its reader, which JavaScript's RegExp (and Python's re) lets it.
 *
 * Literals, ".", classes, groups, "|", all quantifiers (greedy or not is one to a full match), ^ $ \A \Z \b \B, (?...)
 * groups and looks ahead and behind. Refused by name: references to groups, conditions, inline flags.
 */

type Look = { readonly look: "ahead" | "behind"; readonly not: boolean; readonly program: Program };
type Instruction =
  | { readonly accepts: (c: string) => boolean }
  | { readonly to: readonly number[] } // go on at any of these
  | { readonly holds: (text: string, at: number) => boolean }
  | Look;
/** Ends where the program ends. */
type Program = readonly Instruction[];

/** Instructions at most; `{1000}` of `{1000}` is a million. */
const LONGEST = 2000;
const MOST_REPEATS = 1000;
const DEEPEST = 100;

const isWord = (c: string | undefined): boolean => c !== undefined && /^\w$/.test(c);
const CLASSES: Record<string, (c: string) => boolean> = {
  d: (c) => /^\d$/.test(c),
  w: isWord,
  s: (c) => /^\s$/.test(c),
  D: (c) => !/^\d$/.test(c),
  W: (c) => !isWord(c),
  S: (c) => !/^\s$/.test(c),
};
const CONTROLS: Record<string, string> = { n: "\n", t: "\t", r: "\r", f: "\f", v: "\v", a: "\x07" };
const boundary = (text: string, at: number): boolean => isWord(text[at - 1]) !== isWord(text[at]);
const ASSERTIONS: Record<string, (text: string, at: number) => boolean> = {
  A: (_, at) => at === 0,
  Z: (text, at) => at === text.length,
  b: boundary,
  B: (text, at) => !boundary(text, at),
};

/**
 * Whether Python's `re.fullmatch(pattern, text)` matches, as a function of the text.
 * @throws if the pattern is not a regular expression, uses what is refused, or is too large
 */
export function pythonFullMatch(pattern: string): (text: string) => boolean {
  const program = compile(pattern);
  return (text) => runs(program, { text, looked: new Map() }, [0], text.length);
}

function compile(pattern: string): Program {
  let at = 0, depth = 0, size = 0;
  const wrong = (what: string): never => {
    throw new Error(`the pattern ${JSON.stringify(pattern.slice(0, 200))} ${what} (at ${at})`);
  };
  const made = (program: Program): Program => {
    if ((size += program.length) > 50 * LONGEST || program.length > LONGEST) wrong("is too large");
    return program;
  };
  /** Targets are relative to their instruction, so that programs can be put together. */
  const sequence = (parts: readonly Program[]): Program => made(parts.flat());
  const either = (a: Program, b: Program): Program =>
    made([{ to: [1, a.length + 2] }, ...a, { to: [b.length + 1] }, ...b]);
  const optional = (p: Program): Program => made([{ to: [1, p.length + 1] }, ...p]);
  const star = (p: Program): Program => made([{ to: [1, p.length + 2] }, ...p, { to: [-p.length - 1] }]);

  const alternatives = (): Program => {
    if (++depth > DEEPEST) wrong("is nested too deeply");
    let all = concatenation();
    while (pattern[at] === "|") {
      at++;
      all = either(all, concatenation());
    }
    depth--;
    return all;
  };
  const concatenation = (): Program => {
    const parts: Program[] = [];
    while (at < pattern.length && pattern[at] !== "|" && pattern[at] !== ")") parts.push(repeated());
    return sequence(parts);
  };
  const repeated = (): Program => {
    let p = atom();
    for (let times = 0;; times++) {
      const bounds = quantifier();
      if (!bounds) return p;
      if (times > 0) return wrong("repeats a repetition");
      const [least, most] = bounds, rest = most === Infinity ? [star(p)] : [];
      const parts = [...Array<Program>(least).fill(p), ...rest];
      for (let i = least; i < most && most !== Infinity; i++) parts.push(optional(p));
      p = sequence(parts);
      if (pattern[at] === "?") at++; // lazy: the same to a full match
      else if (pattern[at] === "+") wrong("has a possessive quantifier, which is not supported");
    }
  };
  const quantifier = (): [number, number] | null => {
    const c = pattern[at];
    if (c === "*" || c === "+" || c === "?") {
      at++;
      return c === "*" ? [0, Infinity] : c === "+" ? [1, Infinity] : [0, 1];
    }
    const braces = /^\{(\d*)(?:(,)(\d*))?\}/.exec(pattern.slice(at, at + 20));
    if (!braces || braces[0] === "{}") return null; // "{,}" is "*"
    at += braces[0].length;
    const least = Number(braces[1] || 0), most = braces[2] ? Number(braces[3] || Infinity) : least;
    if (least > MOST_REPEATS || (most > MOST_REPEATS && most !== Infinity)) wrong("repeats too often");
    if (most < least) wrong("repeats at least more often than at most");
    return [least, most];
  };
  const atom = (): Program => {
    const c = pattern[at++];
    switch (c) {
      case "(":
        return group();
      case "[":
        return [{ accepts: set() }];
      case ".":
        return [{ accepts: (x) => x !== "\n" }];
      case "^":
        return [{ holds: (_, i) => i === 0 }];
      case "$": // also before a line break that ends the text
        return [{ holds: (text, i) => i === text.length || (i === text.length - 1 && text[i] === "\n") }];
      case "\\":
        return [escaped()];
      case "*":
      case "+":
      case "?":
        return wrong("repeats nothing");
      default:
        return [{ accepts: (x) => x === c }];
    }
  };
  const group = (): Program => {
    const [head] = /^\?(?::|P<[A-Za-z_]\w*>|<?[=!])?/.exec(pattern.slice(at, at + 100)) ?? [""];
    if (head === "?") wrong(`has a group "(${pattern.slice(at, at + 3)}", which is not supported`);
    at += head.length;
    const inner = alternatives();
    if (pattern[at++] !== ")") wrong("has a group that does not end");
    if (!/[=!]$/.test(head)) return inner;
    return [{ look: head.includes("<") ? "behind" : "ahead", not: head.endsWith("!"), program: inner }];
  };
  const character = (): string => {
    const c = pattern[at++];
    if (c === undefined) return wrong("ends in a backslash");
    const hex = /^(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(pattern.slice(at - 1, at + 4));
    if (hex) {
      at += hex[0].length - 1;
      return String.fromCharCode(parseInt(hex[1] ?? hex[2], 16));
    }
    if (c in CONTROLS) return CONTROLS[c];
    return /[A-Za-z0-9]/.test(c) ? wrong(`has the escape "\\${c}", which is not supported`) : c;
  };
  const escaped = (): Instruction => {
    const c = pattern[at] ?? "";
    if (Object.hasOwn(ASSERTIONS, c) || Object.hasOwn(CLASSES, c)) {
      at++;
      return Object.hasOwn(CLASSES, c) ? { accepts: CLASSES[c] } : { holds: ASSERTIONS[c] };
    }
    const literal = character();
    return { accepts: (x) => x === literal };
  };
  const set = (): (c: string) => boolean => {
    const not = pattern[at] === "^", tests: ((c: string) => boolean)[] = [];
    if (not) at++;
    for (let first = true; first || pattern[at] !== "]"; first = false) {
      if (at >= pattern.length) wrong("has a class that does not end");
      const from = member();
      if (typeof from !== "string") {
        tests.push(from);
        continue;
      }
      if (pattern[at] !== "-" || pattern[at + 1] === "]" || at + 1 >= pattern.length) {
        tests.push((c) => c === from);
        continue;
      }
      at++;
      const to = member();
      if (typeof to !== "string" || to < from) return wrong("has a range that is none");
      tests.push((c) => from <= c && c <= to);
    }
    at++;
    return (c) => tests.some((test) => test(c)) !== not;
  };
  const member = (): string | ((c: string) => boolean) => {
    const c = pattern[at++];
    if (c !== "\\") return c;
    const next = pattern[at] ?? "";
    if (!Object.hasOwn(CLASSES, next)) return next === "b" ? (at++, "\b") : character();
    at++;
    return CLASSES[next];
  };

  const program = alternatives();
  if (at < pattern.length) wrong("closes a group that was not opened");
  return program;
}

interface Matching {
  readonly text: string;
  /** What looks found, by place: looks in looks would else be exponential. */
  readonly looked: Map<Look, (boolean | undefined)[]>;
}

/**
 * Whether a program leads from one of these places of the text to another (null: to any). Each pair of instruction and place is
 * tried once.
 */
function runs(program: Program, matching: Matching, from: number[], to: number | null): boolean {
  const { text } = matching;
  const seen = new Uint8Array((program.length + 1) * (text.length + 1));
  const open = from.flatMap((at) => [0, at]);
  while (open.length) {
    const at = open.pop()!, pc = open.pop()!, key = pc * (text.length + 1) + at;
    if (seen[key]) continue;
    seen[key] = 1;
    if (pc === program.length) {
      if (at === to || to === null) return true;
      continue;
    }
    const step = program[pc];
    if ("to" in step) { for (const jump of step.to) open.push(pc + jump, at); }
    else if ("accepts" in step) at < text.length && step.accepts(text[at]) && open.push(pc + 1, at + 1);
    else if ("holds" in step ? step.holds(text, at) : looks(step, matching, at)) open.push(pc + 1, at);
  }
  return false;
}

function looks(instruction: Look, matching: Matching, at: number): boolean {
  const { look, not, program } = instruction, { looked } = matching;
  const found = looked.get(instruction) ?? [];
  looked.set(instruction, found);
  found[at] ??= look === "ahead"
    ? runs(program, matching, [at], null)
    : runs(program, matching, Array.from({ length: at + 1 }, (_, i) => i), at);
  return found[at] !== not;
}
