/** What stands in the fields of a form, as cells of a row. */
import { plain } from './format';

export type Typed = Readonly<Record<string, string>>;

/**
 * A cell; an empty field is a missing value. What should be a number and is none goes to the server as it is,
 * which says so. A decimal comma is one where the reader writes it.
 */
export function cellOf(kind: string, text: string, locale: string): string | number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (kind !== 'numeric' && kind !== 'boolean') return text;
  const number = Number(hasComma(locale) ? trimmed.replace(',', '.') : trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

/** A value of a table as somebody would type it, of which `cellOf` makes the same again. */
export function typedOf(value: unknown, locale: string): string {
  const text = plain(value);
  return hasComma(locale) && Number.isFinite(Number(text)) ? text.replace('.', ',') : text;
}

function hasComma(locale: string): boolean {
  return (1.5).toLocaleString(locale).includes(',');
}
