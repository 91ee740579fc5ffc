/**
 * One text for one value: keys sorted by UTF-16 unit, no spaces, numbers that are integers only. A subset of RFC 8785 that
 * leaves no room for two writers to differ.
 * @throws TypeError for anything an audit entry cannot hold
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value) || Object.is(value, -0))
      throw new TypeError(`no canonical form of the number ${value}`);
    return String(value);
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('no canonical form of half a surrogate pair');
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object') {
    const members = Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`);
    return `{${members.join(',')}}`;
  }
  throw new TypeError(`no canonical form of a ${typeof value}`);
}
