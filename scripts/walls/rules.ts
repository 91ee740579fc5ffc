import { createRequire } from 'node:module';
import path from 'node:path';
import type { HiddenEdge } from './source-facts.ts';

/** The part of a dependency-cruiser rule that can be asked of a path alone. */
interface Rule {
  readonly name: string;
  readonly from: Matcher;
  readonly to: Matcher;
}

interface Matcher {
  readonly path?: string;
  readonly pathNot?: string;
}

const PATH_ONLY = new Set(['path', 'pathNot']);

/**
 * The rules of .dependency-cruiser.cjs that speak of paths only, so that both ways into a file obey one table.
 * Rules about cycles, resolution or kinds of dependency concern import statements and stay with dependency-cruiser.
 */
export function pathRules(root: string): readonly Rule[] {
  return configuredRules(root).filter((rule) => Object.keys(rule.to).every((key) => PATH_ONLY.has(key)));
}

/** Every rule of .dependency-cruiser.cjs. */
export function configuredRules(root: string): readonly Rule[] {
  const config: unknown = createRequire(import.meta.url)(path.join(root, '.dependency-cruiser.cjs'));
  const rules = config !== null && typeof config === 'object' && 'forbidden' in config ? config.forbidden : undefined;
  if (!Array.isArray(rules) || !rules.every(isRule)) {
    throw new Error('expected .dependency-cruiser.cjs to export an array "forbidden" of rules with name, from and to');
  }
  return rules;
}

/** The names of the walls that a hidden edge breaks. */
export function wallsBroken(rules: readonly Rule[], edge: HiddenEdge): readonly string[] {
  return rules.filter((rule) => matches(rule.from, edge.from) && matches(rule.to, edge.to)).map((rule) => rule.name);
}

function matches(matcher: Matcher, file: string): boolean {
  const wanted = matcher.path === undefined || new RegExp(matcher.path).test(file);
  return wanted && !(matcher.pathNot !== undefined && new RegExp(matcher.pathNot).test(file));
}

function isRule(value: unknown): value is Rule {
  return (
    value !== null &&
    typeof value === 'object' &&
    'name' in value &&
    'from' in value &&
    'to' in value &&
    isMatcher(value.from) &&
    isMatcher(value.to)
  );
}

function isMatcher(value: unknown): value is Matcher {
  return value !== null && typeof value === 'object';
}
