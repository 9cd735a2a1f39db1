import { join } from "@std/path";
import ts from "typescript";
import { paths } from "../config/mod.ts";

/** A promise that nobody waits for: file, line from 1, and the statement's beginning. */
export interface Floating {
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

/**
 * Statements whose value is a promise, or an array of promises, that is neither awaited nor marked with `void`, found
 * with TypeScript's type checker. In a Deno kernel the error of such a promise is lost.
 */
export async function floatingPromises(files: readonly string[]): Promise<Floating[]> {
  if (!files.length) return [];
  const types = join(paths.root, "build", "deno.d.ts");
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["types"] }).output();
  await Deno.writeFile(types, stdout);
  const program = ts.createProgram([types, ...files], {
    noEmit: true,
    strict: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: [],
    lib: ["lib.esnext.d.ts"],
    baseUrl: paths.root,
    paths: { "@lib/*": ["./lib/*"], "@std/*": ["./tests/jsr_stand_in/@std/*/1.0.0/mod.ts"] },
  });
  const checker = program.getTypeChecker(), found: Floating[] = [];
  for (const name of files) {
    const file = program.getSourceFile(name);
    if (!file) throw new Error(`TypeScript could not read ${name}.`);
    const visit = (node: ts.Node): void => {
      if (ts.isExpressionStatement(node) && losesPromise(node.expression, checker)) {
        const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
        found.push({ file: name, line, text: node.getText().split("\n")[0].slice(0, 60) });
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}
