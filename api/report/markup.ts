/**
 * HTML that is known to be safe to send. The only way to make one is the tagged template below, whose literal parts are
 * written by us and whose values are escaped; there is no way in for a raw string.
 */
export class Markup {
  readonly #text: string;

  constructor(strings: TemplateStringsArray, values: readonly MarkupValue[]) {
    // A template's `raw` array is frozen by the language; an array put together at run time is refused.
    if (!Object.isFrozen(strings) || !Array.isArray(strings.raw))
      throw new TypeError('expected a template literal for markup, received an array');
    let text = strings[0] ?? '';
    for (let index = 0; index < values.length; index += 1) text += render(values[index]) + (strings[index + 1] ?? '');
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

export type MarkupValue = string | number | Markup | readonly MarkupValue[] | null | undefined | false;

/**
 * `html\`<td title="${text}">${text}</td>\``: every value is escaped for text and for quoted attributes alike; a value
 * must never stand in an unquoted attribute, a tag name, a style or a script (there is none on our pages).
 */
export function html(strings: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
  return new Markup(strings, values);
}

function render(value: MarkupValue): string {
  if (value === null || value === undefined || value === false) return '';
  if (value instanceof Markup) return value.toString();
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return value.replace(/[&<>"'`=]/g, escapeCharacter);
  return value.map(render).join('');
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
  '=': '&#61;',
};

function escapeCharacter(character: string): string {
  return ESCAPES[character] ?? character;
}
