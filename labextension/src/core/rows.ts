/** What stands in the fields of a form, as cells of a row. */

export type Typed = Readonly<Record<string, string>>;

/**
 * A cell; an empty field is a missing value. What should be a number and is none goes to the server as it is,
 * which says so. A decimal comma is one where the reader writes it.
 */
export function cellOf(kind: string, text: string, locale: string): string | number | null {
  const trimmed = text.trim();
  if (trimmed === '') return null;
  if (kind !== 'number' && kind !== 'boolean') return text;
  const comma = (1.5).toLocaleString(locale).includes(',');
  const number = Number(comma ? trimmed.replace(',', '.') : trimmed);
  return Number.isFinite(number) ? number : trimmed;
}
