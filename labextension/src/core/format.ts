/** Numbers, sizes and times as the reader writes them. */

const UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;

export class Format {
  private readonly made = new Map<string, Intl.NumberFormat>();
  private readonly moments: Intl.DateTimeFormat;

  constructor(readonly locale: string) {
    this.moments = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  }

  /** A whole number, in groups of digits. */
  whole(value: number): string {
    return this.number(value, { maximumFractionDigits: 0 });
  }

  /** A number with so many decimals. */
  fixed(value: number | null, digits = 4): string {
    if (value === null) return '–';
    const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return this.number(value, options).replace('-', '−');
  }

  /** A number with so many significant digits. */
  short(value: number | null, digits = 4): string {
    if (value === null) return '–';
    return this.number(value, { maximumSignificantDigits: digits }).replace('-', '−');
  }

  /** A difference with so many decimals: its sign always stands before it. */
  signed(value: number | null, digits = 4): string {
    return `${value !== null && value > 0 ? '+' : ''}${this.fixed(value, digits)}`;
  }

  /** A share as a percentage. */
  percent(value: number, digits = 0): string {
    return this.number(value, { style: 'percent', maximumFractionDigits: digits });
  }

  /** A number of bytes, in the unit that suits it. */
  bytes(value: number): string {
    const scale = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), UNITS.length - 1);
    const unit = UNITS[scale] ?? 'byte';
    return this.number(value / 1000 ** scale, {
      style: 'unit',
      unit,
      unitDisplay: 'short',
      maximumFractionDigits: scale ? 1 : 0
    });
  }

  /** A short time, in the unit that suits it. */
  seconds(value: number | null): string {
    if (value === null) return '';
    const small = value < 1;
    const options = { maximumFractionDigits: small && value >= 0.01 ? 0 : 1 };
    return `${this.number(small ? value * 1000 : value, options)}\u00a0${small ? 'ms' : 's'}`;
  }

  /** A moment, to the minute, on one line. */
  when(moment: string): string {
    return this.moments.format(new Date(moment)).replaceAll(' ', '\u00a0');
  }

  /** From where to where the values of a column go, where it says anything; moments are in seconds since 1970. */
  range(kind: string, least: number | null, most: number | null): string {
    if (least === null || most === null || kind === 'boolean') return '';
    if (kind === 'datetime') {
      const day = (seconds: number): string => new Date(1000 * seconds).toISOString().slice(0, 10);
      return `${day(least)} … ${day(most)}`;
    }
    // No groups of digits: a year is a number, too.
    const options = { maximumSignificantDigits: 5, useGrouping: false };
    return `${this.number(least, options)} … ${this.number(most, options)}`;
  }

  /** An interval in figures; empty where there is none. */
  interval(bounds: readonly [number | null, number | null] | null, digits = 3): string {
    const [low, high] = bounds ?? [null, null];
    return low === null || high === null ? '' : `${this.fixed(low, digits)} … ${this.fixed(high, digits)}`;
  }

  /** An interval of a difference: each end has its sign. */
  span([low, high]: readonly [number | null, number | null], digits: number): string {
    return low === null || high === null ? '' : `${this.signed(low, digits)} … ${this.signed(high, digits)}`;
  }

  /** Making a formatter takes far longer than using it, and a long table has hundreds of figures. */
  private number(value: number, options: Intl.NumberFormatOptions): string {
    const key = JSON.stringify(options);
    const known = this.made.get(key) ?? new Intl.NumberFormat(this.locale, options);
    this.made.set(key, known);
    return known.format(value);
  }
}

/** A value of a table as text, without a reader's way of writing; yes and no as classes are called. */
export function plain(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return typeof value === 'number' ? String(value) : JSON.stringify(value);
}

/** A value of a row; a moment at midnight is a day. */
export function day(value: string): string {
  return value.replace(/^(\d{4}-\d\d-\d\d)T00:00:00$/, '$1');
}

/** A time as `m:ss` or `h:mm:ss`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Seconds of a text such as `60`, `5m` or `1.5h`; null where it is none. */
export function secondsOf(text: string): number | null {
  const found = /^\s*(\d+(?:[.,]\d+)?)\s*(s|m|min|h)?\s*$/.exec(text);
  if (!found) return null;
  const value = Number((found[1] ?? '').replace(',', '.'));
  return value * (found[2] === 'h' ? 3600 : found[2]?.startsWith('m') ? 60 : 1);
}
