/** The application within JupyterLab: its requests, its charts, its notifications are JupyterLab's own. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ServerConnection } from '@jupyterlab/services';
import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Widget } from '@lumino/widgets';
import { createRoot } from 'react-dom/client';

import { Api, type Transport } from '../core/api';
import { App, asProblem, type Host, type Theme } from '../core/app';
import { Cache } from '../core/cache';
import type { Job } from '../core/contract';
import { Format } from '../core/format';
import { parsed, written, type Route } from '../core/route';
import { languageOf, loadWords, type Words } from '../core/words';
import { version } from '../core/words/version.json';
import { Main, Side } from '../views/main';
import type { Content } from './lazy';

import '../../style/lab.css';

/** Milliseconds that a notification stays before it goes to JupyterLab's list of them. */
const SHOWN = 15_000;
const VEGA = 'application/vnd.vegalite.v5+json';

export interface Needs {
  lab: JupyterFrontEnd;
  rendermime: IRenderMimeRegistry;
  locale: string;
  settings: ISettingRegistry | null;
  id: string;
}

function transport(settings: ServerConnection.ISettings): Transport {
  return { base: settings.baseUrl, send: (url, init) => ServerConnection.makeRequest(url, init, settings) };
}

export class Shell {
  /** What one of our widgets has done, the others know. */
  private readonly cache = new Cache();

  private constructor(
    private readonly needs: Needs,
    private readonly words: Words,
    private readonly api: Api
  ) {}

  static async start(needs: Needs): Promise<Shell> {
    const words = await loadWords(languageOf(needs.locale));
    const api = new Api(transport(needs.lab.serviceManager.serverSettings), words.language);
    return new Shell(needs, words, api);
  }

  /** Fill a widget of the main area. */
  main(node: HTMLElement, kept: { route: string; moved: (route: string) => void }): Content {
    const app = this.app(parsed(kept.route), route => kept.moved(written(route)));
    const root = createRoot(node);
    root.render(<Main app={app} />);
    return {
      show: route => app.go(parsed(route)),
      dispose: () => {
        app.leave();
        root.unmount();
      }
    };
  }

  /** Fill the panel at the side: what is chosen there opens in the main area. */
  side(node: HTMLElement): Content {
    const open = (route: Route): void => {
      app.show({ screen: 'home' });
      void this.needs.lab.commands.execute('automl:open', { route: written(route) });
    };
    const app = this.app({ screen: 'home' }, open);
    const root = createRoot(node);
    root.render(<Side app={app} />);
    return { show: () => undefined, dispose: () => root.unmount() };
  }

  /** Take in a file that Jupyter has; the answer is the screen to go on with, or null where it cannot be. */
  async take(path: string): Promise<string | null> {
    try {
      const dataset = await this.api.post('post /api/upload/', { path: path.replace(/^[^/:]+:/, '') });
      return written({ screen: 'train', id: dataset.id });
    } catch (error) {
      Notification.error(asProblem(error).message || this.words.text('app.trouble.unknown'), {
        autoClose: false
      });
      return null;
    }
  }

  private app(route: Route, keep: (route: Route) => void): App {
    const host: Host = {
      keep,
      version,
      alone: false,
      // Loaded again, JupyterLab leads to its login, and then opens what was open.
      login: () => location.pathname,
      ended: job => void this.ended(job),
      theme: themeOf,
      themed: watchTheme,
      chart: (specification, into) => this.draw(specification, into)
    };
    return new App(
      this.api,
      this.words,
      new Format(this.needs.locale.replace('_', '-')),
      host,
      route,
      this.cache
    );
  }

  private async ended(job: Job): Promise<void> {
    const settings = await this.needs.settings?.load(this.needs.id);
    if (settings?.get('notify').composite === false) return;
    const name = job.target ?? this.words.text('pages.clusters');
    const route: Route = job.model ? { screen: 'model', ...job.model } : { screen: 'job', id: job.id };
    const actions = [
      {
        label: this.words.text('app.lab.look'),
        callback: () => void this.needs.lab.commands.execute('automl:open', { route: written(route) })
      }
    ];
    const told = { actions, autoClose: SHOWN };
    if (job.model) Notification.success(this.words.text('app.lab.ended_done', { name }), told);
    else Notification.warning(this.words.text('app.lab.ended_failed', { name }), told);
  }

  private async draw(specification: Record<string, unknown>, into: HTMLElement): Promise<() => void> {
    const { rendermime } = this.needs;
    const renderer = rendermime.createRenderer(VEGA);
    await renderer.renderModel(
      rendermime.createModel({ data: { [VEGA]: specification as never }, trusted: true })
    );
    Widget.attach(renderer, into);
    return () => renderer.dispose();
  }
}

function themeOf(): Theme {
  const { jpThemeLight, jpThemeName } = document.body.dataset;
  if (jpThemeName?.includes('High Contrast')) return 'contrast';
  return jpThemeLight === 'false' ? 'dark' : 'light';
}

/** JupyterLab writes its theme on the page, and so do other hosts of its widgets: that is what is looked at. */
function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributeFilter: ['data-jp-theme-light', 'data-jp-theme-name'] });
  return () => observer.disconnect();
}
