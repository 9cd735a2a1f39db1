/** Texts that attack whatever shows them, and what of them may never be found. */

/** A host that nothing may ask; scripts that ran leave `globalThis.owned`. */
export const TRAP = "trap.invalid";

export const PAYLOADS: readonly string[] = [
  `<script>globalThis.owned = 1</script>`,
  `</script><script src="http://${TRAP}/a.js"></script><!-- <script>`,
  `<img src="http://${TRAP}/b" onerror="globalThis.owned = 2"><svg onload="globalThis.owned = 3">`,
  `" onmouseover="globalThis.owned = 4" style="background:url(http://${TRAP}/c)" x='`,
  "answer\n~~~\n```\n````\n<img src=x onerror='globalThis.owned = 5'>\n# heading\n- item\n\n    code",
  `[click](javascript:globalThis.owned=6) ![p](http://${TRAP}/d) [r]: http://${TRAP}/e <http://${TRAP}/f> www.${TRAP}`,
  `<a href="javascript:globalThis.owned=7">link</a> <a href="http://${TRAP}/g">outwards</a>`,
  `$\\href{javascript:globalThis.owned=8}{x}$ \\(\\alpha\\) \\[\\beta\\] $$\\gamma$$ \\begin{equation}z\\end{equation}`,
  "a \x1b[31mred\x1b[0m \x1b[2J\x1b]0;title\x07\x1b]8;;http://trap.invalid/h\x1b\\link\x1b]8;;\x1b\\ \x9b1A \r gone \x08\x7f",
  "NUL \0 and \x0b\x0c\x1f",
  "turned \u202Etxt.exe\u202C \u2066a\u2069 \u200Fb\u200E zero\u200Bwidth\u2060\uFEFF lines\u2028and\u2029paragraphs",
  "halves \uD800 and \uDC00x, noncharacter \uFFFE",
  `%{x} {{ 7 * 7 }} \${owned} $& $1 __DATA__ "__DATA__" __SCRIPT__; %s %c &lt;b&gt; &#60;b&#62;`,
  "1. one | two *three* _four_ ~five~ :smile: @six ^7^ ==8==  two  spaces",
  "long " + "A".repeat(400),
];

/** Text with every run of white space as one blank, as HTML shows it. */
export const blanked = (text: string): string => text.replace(/[\s\u200B]+/g, " ").trim();
