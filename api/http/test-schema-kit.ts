import fc from 'fast-check';

/** For tests: requests out of the description of the API itself, so that a new route is tried without being named. */

/** Names that mean something to JavaScript, SQL, paths or terminals. */
export const TROUBLE = [
  '__proto__',
  'constructor',
  '\0',
  '../../etc/passwd',
  "' or 1=1 --",
  '%00',
  '\u001b[31m',
  '\ud800',
  'x'.repeat(5000),
  '$(id)',
  '{{7*7}}',
];

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };
export type Schema = Readonly<Record<string, unknown>>;

// Array.isArray says nothing of arrays that are read only.
const isList = (value: Json): value is readonly Json[] => Array.isArray(value);
const isSchema = (value: unknown): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const schemas = (value: unknown): Schema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const whole = (value: unknown, otherwise: number): number => (typeof value === 'number' ? value : otherwise);

/** Anything, troublesome text above all. */
export const anything: fc.Arbitrary<Json> = fc.oneof(
  fc.constantFrom<Json>(...TROUBLE, null, true, -1, 0, 1e308, 2 ** 53, '', [], {}),
  fc.string(),
  fc.integer(),
);

/** What fits a schema as far as its keywords are known here: what does not fit is refused, which is fine too. */
export function fitting(schema: Schema): fc.Arbitrary<Json> {
  const choices = schemas(schema['anyOf']);
  if (choices.length > 0) return fc.oneof(...choices.map(fitting));
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...(schema['enum'] as Json[]));
  if ('const' in schema) return fc.constant(schema['const'] as Json);
  switch (schema['type']) {
    case 'object': {
      const properties = isSchema(schema['properties']) ? schema['properties'] : {};
      const required = new Set(Array.isArray(schema['required']) ? schema['required'] : []);
      const named = Object.entries(properties).flatMap(([name, of]) =>
        isSchema(of) ? [[name, fitting(of)] as const] : [],
      );
      return fc.record(Object.fromEntries(named), {
        requiredKeys: named.map(([name]) => name).filter((name) => required.has(name)),
      });
    }
    case 'array':
      return fc.array(isSchema(schema['items']) ? fitting(schema['items']) : anything, {
        minLength: whole(schema['minItems'], 0),
        maxLength: Math.min(3, whole(schema['maxItems'], 3)),
      });
    case 'string':
      return typeof schema['pattern'] === 'string'
        ? fc
            .stringMatching(new RegExp(schema['pattern']))
            .map((text) => text.slice(0, whole(schema['maxLength'], 5000)))
        : fc.string({
            minLength: whole(schema['minLength'], 0),
            maxLength: Math.min(60, whole(schema['maxLength'], 60)),
          });
    case 'integer':
      return fc.integer({
        min: whole(schema['minimum'], -1000),
        max: Math.min(2 ** 31 - 1, whole(schema['maximum'], 1000)),
      });
    case 'number':
      return fc.double({ min: whole(schema['minimum'], -1000), max: whole(schema['maximum'], 1000), noNaN: true });
    case 'boolean':
      return fc.boolean();
    default:
      return fc.constant(null);
  }
}

/** The same with one place of it, anywhere, put out of joint: replaced, left out, or with something beside it. */
export function outOfJoint(schema: Schema): fc.Arbitrary<Json> {
  return fc
    .tuple(fitting(schema), fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), anything, fc.nat(2))
    .map(([value, way, put, how]) => bent(value, way, put, how));
}

function bent(value: Json, [step = 0, ...rest]: readonly number[], put: Json, how: number): Json {
  if (typeof value !== 'object' || value === null) return put;
  const names = Object.keys(value);
  const name = names[step % Math.max(1, names.length)];
  if (name === undefined) return put;
  if (isList(value)) return value.map((one, at) => (String(at) === name ? bent(one, rest, put, how) : one));
  const fields = value;
  if (rest.length > 0) return { ...fields, [name]: bent(fields[name] ?? null, rest, put, how) };
  if (how === 0) return Object.fromEntries(Object.entries(fields).filter(([one]) => one !== name));
  return how === 1 ? { ...fields, [name]: put } : { ...fields, [`${name}x`]: put };
}

export interface Operation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'PUT';
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[];
  readonly body: Schema | null;
}

/** The operations of an OpenAPI document. */
export function operationsOf(document: unknown): Operation[] {
  const paths = isSchema(document) && isSchema(document['paths']) ? document['paths'] : {};
  return Object.entries(paths).flatMap(([path, of]) =>
    (['GET', 'POST', 'PATCH', 'PUT'] as const).flatMap((method) => {
      const operation = isSchema(of) ? of[method.toLowerCase()] : undefined;
      if (!isSchema(operation)) return [];
      const parameters = schemas(operation['parameters']).map((one) => ({
        name: String(one['name']),
        in: String(one['in']),
        schema: isSchema(one['schema']) ? one['schema'] : {},
      }));
      return [{ method, path, parameters, body: bodyOf(operation) }];
    }),
  );
}

function bodyOf(operation: Schema): Schema | null {
  let at: unknown = operation;
  for (const name of ['requestBody', 'content', 'application/json', 'schema']) at = isSchema(at) ? at[name] : undefined;
  return isSchema(at) ? at : null;
}
