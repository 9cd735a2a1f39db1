import { join } from "@std/path";
import ts from "typescript";
import { paths } from "../config/mod.ts";

/** A promise that nobody waits for: file, line from 1, and the statement's beginning. */
export interface Floating {
  file: string;
  line: number;
  text: string;
}

/**
 * Statements whose value is a promise that is neither awaited nor marked with `void`, found with TypeScript's type
 * checker. In a Deno kernel the error of such a promise is lost.
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
      if (ts.isExpressionStatement(node) && !ts.isVoidExpression(node.expression)) {
        const type = checker.getTypeAtLocation(node.expression);
        if (checker.getPropertyOfType(type, "then")) {
          const line = file.getLineAndCharacterOfPosition(node.getStart()).line + 1;
          found.push({ file: name, line, text: node.getText().split("\n")[0].slice(0, 60) });
        }
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}
