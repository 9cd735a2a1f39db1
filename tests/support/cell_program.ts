import { join } from "@std/path";
import ts from "typescript";
import { paths } from "@lib/config/mod.ts";

/** What is wrong at a line, from 1, of a file. */
export interface Problem {
  file: string;
  line: number;
  text: string;
}

/** Whether a value of this type is, or may be, a promise or an array with promises in it. */
function holdsPromise(type: ts.Type, checker: ts.TypeChecker, seen = new Set<ts.Type>()): boolean {
  if (seen.has(type)) return false; // an array of itself
  seen.add(type);
  const there = checker.getNonNullableType(type);
  if (there.isUnion()) return there.types.some((member) => holdsPromise(member, checker, seen));
  if (checker.getPropertyOfType(there, "then")) return true;
  const element = checker.getIndexTypeOfType(there, ts.IndexKind.Number);
  return element !== undefined && holdsPromise(element, checker, seen);
}

/** Operators of which either side may be the value that is dropped. */
const EITHER = new Set([
  ts.SyntaxKind.BarBarToken,
  ts.SyntaxKind.QuestionQuestionToken,
  ts.SyntaxKind.CommaToken,
]);

/** Whether a promise is lost when this expression's value is dropped; an assignment keeps it. */
function losesPromise(node: ts.Expression, checker: ts.TypeChecker): boolean {
  const loses = (part: ts.Expression) => losesPromise(part, checker);
  if (ts.isParenthesizedExpression(node)) return loses(node.expression);
  if (ts.isConditionalExpression(node)) return loses(node.whenTrue) || loses(node.whenFalse);
  if (ts.isBinaryExpression(node)) {
    const { kind } = node.operatorToken;
    if (kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment) return false;
    if (kind === ts.SyntaxKind.AmpersandAmpersandToken) return loses(node.right);
    if (EITHER.has(kind)) return loses(node.left) || loses(node.right);
  }
  return holdsPromise(checker.getTypeAtLocation(node), checker);
}

/** Whether values of this type may have a property `signal`. */
const hasSignal = (type: ts.Type, checker: ts.TypeChecker): boolean =>
  checker.getPropertyOfType(checker.getNonNullableType(type), "signal") !== undefined;

/** Whether this calls a function of the library that can be stopped, without saying by what. */
function isDeaf(node: ts.CallExpression, checker: ts.TypeChecker): boolean {
  const signature = checker.getResolvedSignature(node);
  if (!signature?.declaration?.getSourceFile().fileName.startsWith(join(paths.root, "lib/"))) return false;
  const taking = signature.parameters.findIndex((parameter) =>
    hasSignal(checker.getTypeOfSymbolAtLocation(parameter, node), checker)
  );
  if (taking < 0) return false;
  const given = node.arguments.at(taking);
  return !given || !hasSignal(checker.getTypeAtLocation(given), checker);
}

/** The beginning of a node's text. */
const head = (node: ts.Node): string => node.getText().split("\n")[0].slice(0, 60);

/** Where TypeScript, which knows no jsr: addresses, finds the types of @std: in the stand-in of the version in use. */
async function standInTypes(): Promise<Record<string, string[]>> {
  const { imports } = JSON.parse(await Deno.readTextFile(join(paths.root, "deno.json"))) as {
    imports: Record<string, string>;
  };
  return Object.fromEntries(
    Object.entries(imports).flatMap(([name, address]) => {
      const [, version] = /^jsr:@std\/\w+@(.+)$/.exec(address) ?? [];
      return version ? [[name, [`./tests/jsr_stand_in/${name}/${version}/mod.ts`]]] : [];
    }),
  );
}

/**
 * What only TypeScript's type checker finds in cells: statements whose value is a promise, or an array of promises, that is
 * neither awaited nor marked with `void` (in a Deno kernel its error is lost), and calls of the library that take a signal
 * and get none (Stop does not end them), and elements that are used as if they were there, such as `rows[0]` of a list that a
 * limit left empty. (The numerical code of `lib`, where indexes run over known lengths, is not checked for the last.)
 */
export async function programProblems(files: readonly string[]): Promise<Problem[]> {
  if (!files.length) return [];
  const types = join(paths.root, "build", "deno.d.ts");
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
  await Deno.writeFile(types, stdout);
  const program = ts.createProgram([types, ...files], {
    noEmit: true,
    strict: true,
    noUncheckedIndexedAccess: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.esnext.d.ts"],
    baseUrl: paths.root,
    paths: { "@lib/*": ["./lib/*"], ...await standInTypes() },
  });
  const checker = program.getTypeChecker(), found: Problem[] = [];
  for (const name of files) {
    const file = program.getSourceFile(name);
    if (!file) throw new Error(`TypeScript could not read ${name}.`);
    const visit = (node: ts.Node): void => {
      const problem = (what: string) => {
        const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        found.push({ file: name, line, text: `${what}: ${head(node)}` });
      };
      if (ts.isExpressionStatement(node) && losesPromise(node.expression, checker)) {
        problem("the promise is not awaited");
      }
      if (ts.isCallExpression(node) && isDeaf(node, checker)) {
        problem("Stop does not end this call; pass { signal: stopSignal() }");
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
    for (const { start = 0, messageText } of program.getSemanticDiagnostics(file)) {
      const text = ts.flattenDiagnosticMessageText(messageText, " ");
      const line = file.getLineAndCharacterOfPosition(start).line + 1;
      if (/\bundefined\b/.test(text)) {
        found.push({ file: name, line, text: `there may be none, in a limited run for example: ${text}` });
      }
    }
  }
  return found;
}
