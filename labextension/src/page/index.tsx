/** The application on a page of its own, which the server extension serves. */
import { createRoot } from 'react-dom/client';

import { Api, type Transport } from '../core/api';
import { App, type Host } from '../core/app';
import { Format } from '../core/format';
import { parsed, written } from '../core/route';
import { languageOf, loadWords } from '../core/words';
import { version } from '../core/words/version.json';
import { Main } from '../views/main';

/** Where a screen stands in the address while somebody logs in. */
const BACK = 'screen';

function transport(base: string): Transport {
  return {
    base,
    send(url, init) {
      const headers = new Headers(init.headers);
      // Jupyter's own protection: what only a page of this origin can read.
      const xsrf = /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1];
      if (xsrf) headers.set('X-XSRFToken', decodeURIComponent(xsrf));
      return fetch(url, { ...init, headers, credentials: 'same-origin' });
    }
  };
}

/** The reader's own way to write numbers, where it is one of the language that is spoken. */
function localeOf(language: string): string {
  return navigator.languages.find(locale => locale.toLowerCase().startsWith(language)) ?? language;
}

async function begin(root: HTMLElement): Promise<void> {
  const { base = '/', language = 'en' } = root.dataset;
  const words = await loadWords(languageOf(language));
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const contrast = matchMedia('(prefers-contrast: more), (forced-colors: active)');
  const host: Host = {
    // The page itself leads whoever is not logged in to where that is done, and keeps the query, not the hash.
    login: () => `${location.pathname}?${BACK}=${encodeURIComponent(location.hash)}`,
    version,
    alone: true,
    keep: route => history.pushState(null, '', `#/${written(route)}`),
    ended: () => undefined,
    theme: () => (contrast.matches && dark.matches ? 'contrast' : dark.matches ? 'dark' : 'light'),
    themed: changed => {
      for (const query of [dark, contrast]) query.addEventListener('change', changed);
      return () => {
        for (const query of [dark, contrast]) query.removeEventListener('change', changed);
      };
    },
    chart: async (specification, into) => (await import('./vega')).draw(specification, into)
  };
  const back = new URLSearchParams(location.search).get(BACK);
  if (back !== null) history.replaceState(null, '', `${location.pathname}#/${written(parsed(back))}`);
  const route = parsed(location.hash);
  const app = new App(
    new Api(transport(base), words.language),
    words,
    new Format(localeOf(language)),
    host,
    route
  );
  addEventListener('popstate', () => app.show(parsed(location.hash)));
  createRoot(root).render(<Main app={app} />);
}

const root = document.getElementById('automl-app');
if (root) void begin(root);
