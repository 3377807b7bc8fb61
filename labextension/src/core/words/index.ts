/** Sentences by code, in the reader's language; the catalogues are those of the server. */
import type en from './en.json';

export type Code = keyof typeof en;
export type Catalogue = Readonly<Record<Code, string | string[]>>;
export type Params = Readonly<Record<string, string | number>>;

export const LANGUAGES = ['en', 'fr'] as const;
export type Language = (typeof LANGUAGES)[number];

/** The language that is spoken here for a locale such as `fr_FR` or `fr-CA`. */
export function languageOf(locale: string): Language {
  return LANGUAGES.find(known => locale.toLowerCase().startsWith(known)) ?? 'en';
}

/** Says sentences of one language. */
export class Words {
  private readonly plurals: Intl.PluralRules;

  constructor(
    readonly language: Language,
    private readonly catalogue: Catalogue
  ) {
    this.plurals = new Intl.PluralRules(language);
  }

  /** The sentence for a code; `n` among the parameters chooses between singular and plural. */
  text(code: Code, params: Params = {}): string {
    const entry = this.catalogue[code];
    const several = typeof params.n !== 'number' || this.plurals.select(params.n) !== 'one';
    const form = typeof entry === 'string' ? entry : (entry[several ? 1 : 0] ?? '');
    return form.replace(/\{(\w+)\}/g, (all, name: string) => {
      const value = params[name];
      return value === undefined
        ? all
        : typeof value === 'number'
          ? value.toLocaleString(this.language)
          : value;
    });
  }
}

/** Load the words of a language: only those that are read are fetched. */
export async function loadWords(language: Language): Promise<Words> {
  const loaded = language === 'fr' ? await import('./fr.json') : await import('./en.json');
  const catalogue: Catalogue = loaded.default;
  return new Words(language, catalogue);
}
