import { existsSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

/** A way from one file into another that is no import statement, so that dependency-cruiser cannot see it. */
export interface HiddenEdge {
  readonly from: string;
  /** A path relative to the root, or `node_modules/<package>` for a package named in a string. */
  readonly to: string;
  readonly line: number;
}

/** A place that reads the environment of the process or ends it. */
export interface ProcessUse {
  readonly from: string;
  readonly member: string;
  readonly line: number;
}

export interface Unreadable {
  readonly from: string;
  readonly line: number;
}

export interface SourceFacts {
  readonly hidden: readonly HiddenEdge[];
  readonly processUses: readonly ProcessUse[];
  /** Dynamic imports whose target is computed: nobody can tell which wall they cross. */
  readonly computedImports: readonly Unreadable[];
}

const MODULE_FILE = /\.(ts|mts|cts|js|mjs|cjs|wasm)$/;
const GUARDED_MEMBERS = new Set(['env', 'exit', 'exitCode', 'abort', 'reallyExit']);
const PROCESS_MODULES = new Set(['process', 'node:process']);
const LOADERS = new Set(['require', 'require.resolve', 'import.meta.resolve', 'createRequire']);

/**
 * Reads one source file for what the walls need beyond its import statements.
 * Every string that names an existing module file, relative to the file or to the root, counts as a way into it, however
 * it is used: new URL, path.join, fork, Worker and piscina's `filename` all begin with such a string.
 */
export function factsOf(root: string, file: string, text: string): SourceFacts {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const hidden: HiddenEdge[] = [];
  const processUses: ProcessUse[] = [];
  const computedImports: Unreadable[] = [];
  const lineOf = (node: ts.Node) => source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
  const edge = (node: ts.Node, to: string) => hidden.push({ from: file, to, line: lineOf(node) });
  const uses = (node: ts.Node, member: string) => {
    if (GUARDED_MEMBERS.has(member)) processUses.push({ from: file, member, line: lineOf(node) });
  };

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      readImport(node, uses);
      return;
    }
    if (ts.isCallExpression(node)) readCall(node);
    if (ts.isStringLiteralLike(node)) readFileName(node, node.text);
    if (ts.isTemplateExpression(node)) {
      const tail = node.templateSpans.at(-1)?.literal.text ?? '';
      readFileName(node, tail.replace(/^\/+/, ''));
    }
    if (ts.isPropertyAccessExpression(node) && isProcess(node.expression)) uses(node, node.name.text);
    if (ts.isElementAccessExpression(node) && isProcess(node.expression)) {
      uses(node, ts.isStringLiteralLike(node.argumentExpression) ? node.argumentExpression.text : 'env');
    }
    if (ts.isVariableDeclaration(node) && node.initializer !== undefined && isProcess(node.initializer)) {
      if (ts.isObjectBindingPattern(node.name)) {
        for (const part of node.name.elements) uses(part, (part.propertyName ?? part.name).getText(source));
      } else uses(node, 'env');
    }
    ts.forEachChild(node, visit);
  };

  const readCall = (call: ts.CallExpression): void => {
    const [first] = call.arguments;
    const callee = call.expression.getText(source);
    if (call.expression.kind === ts.SyntaxKind.ImportKeyword) {
      if (first === undefined || !ts.isStringLiteralLike(first))
        computedImports.push({ from: file, line: lineOf(call) });
    } else if (LOADERS.has(callee) && first !== undefined && ts.isStringLiteralLike(first)) {
      const named = packageNamed(first.text);
      if (named !== undefined) edge(call, `node_modules/${named}`);
    } else if (/(^|\.)(join|resolve)$/.test(callee)) {
      // path.join(import.meta.dirname, '..', 'host', 'main.ts'): the parts mean something only together.
      const parts = call.arguments.flatMap((part) => (ts.isStringLiteralLike(part) ? [part.text] : []));
      if (parts.length > 1) readFileName(call, parts.join('/'));
    }
  };

  const readFileName = (node: ts.Node, name: string): void => {
    if (!MODULE_FILE.test(name) || ts.isImportTypeNode(node.parent) || isImported(node)) return;
    for (const base of [path.dirname(file), '.']) {
      const target = path.normalize(path.join(base, name)).replaceAll('\\', '/');
      if (target === file || target.startsWith('..') || !isFile(path.join(root, target))) continue;
      edge(node, target);
      return;
    }
  };

  visit(source);
  return { hidden, processUses, computedImports };
}

/** The argument of import('./x.ts') or export … from './x.ts': dependency-cruiser sees those itself. */
function isImported(node: ts.Node): boolean {
  const { parent } = node;
  return (
    ts.isExportDeclaration(parent) ||
    (ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword)
  );
}

function readImport(node: ts.ImportDeclaration, uses: (node: ts.Node, member: string) => void): void {
  if (!ts.isStringLiteral(node.moduleSpecifier) || !PROCESS_MODULES.has(node.moduleSpecifier.text)) return;
  const bindings = node.importClause?.namedBindings;
  if (bindings === undefined || !ts.isNamedImports(bindings)) return;
  for (const element of bindings.elements) uses(element, (element.propertyName ?? element.name).text);
}

function isProcess(node: ts.Expression): boolean {
  if (ts.isIdentifier(node)) return node.text === 'process';
  return (
    ts.isPropertyAccessExpression(node) && node.name.text === 'process' && node.expression.getText() === 'globalThis'
  );
}

function packageNamed(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('node:')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function isFile(absolute: string): boolean {
  return existsSync(absolute) && statSync(absolute).isFile();
}
