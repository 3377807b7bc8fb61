/**
 * What JupyterLab and Notebook load at their start: names, icons and places. The application itself comes with
 * the first thing that somebody opens.
 */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { ILauncher } from '@jupyterlab/launcher';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator } from '@jupyterlab/translation';
import { UUID, type ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { languageOf } from '../core/words';
import labels from '../core/words/lab.json';
import { mark } from './icon';
import { Lazy } from './lazy';
import { spoken } from './settings';
import type { Shell } from './shell';

const ID = 'automl_jupyter:plugin';
const SPACE = 'automl';

const enum Command {
  Open = 'automl:open',
  TrainFile = 'automl:train-file'
}

const plugin: JupyterFrontEndPlugin<void> = {
  id: ID,
  description: 'AutoML: from a table to a model in service.',
  autoStart: true,
  requires: [IRenderMimeRegistry],
  optional: [
    ICommandPalette,
    IFileBrowserFactory,
    ILabShell,
    ILauncher,
    ILayoutRestorer,
    ISettingRegistry,
    ITranslator
  ],
  activate(
    app: JupyterFrontEnd,
    rendermime: IRenderMimeRegistry,
    palette: ICommandPalette | null,
    files: IFileBrowserFactory | null,
    shell: ILabShell | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void {
    const locale = translator?.languageCode ?? navigator.language;
    const text = labels[languageOf(locale)];
    const tracker = new WidgetTracker<MainAreaWidget<Lazy>>({ namespace: SPACE });
    let started: Promise<Shell> | null = null;
    // The application comes with the first widget that is shown.
    const start = (): Promise<Shell> =>
      (started ??= import('./shell').then(({ Shell }) =>
        Shell.start({ lab: app, rendermime, locale, settings, id: ID })
      ));

    const add = (route: string, id: string): MainAreaWidget<Lazy> => {
      const content = new Lazy(async (node, kept) => (await start()).main(node, kept), route);
      const widget = new MainAreaWidget({ content });
      widget.id = id;
      widget.title.label = text['app.lab.product'];
      widget.title.icon = mark;
      widget.title.closable = true;
      content.moved.connect(() => void tracker.save(widget));
      void tracker.add(widget);
      app.shell.add(widget, 'main');
      return widget;
    };

    app.commands.addCommand(Command.Open, {
      label: args => (args.isPalette ? text['app.lab.open'] : text['app.lab.product']),
      caption: text['app.lab.launch'],
      icon: mark,
      describedBy: {
        args: { type: 'object', properties: { route: { type: 'string' }, fresh: { type: 'boolean' } } }
      },
      execute: args => {
        const route = routeOf(args);
        // Notebook has one thing on each page of the browser: there, this is the application's own page.
        if (!shell) return window.open(`${app.serviceManager.serverSettings.baseUrl}automl/#/${route ?? ''}`);
        const open = args.fresh ? null : tracker.currentWidget;
        // A layout that is restored knows the widget by its id.
        const widget =
          open ?? add(route ?? '', typeof args.id === 'string' ? args.id : `automl-${UUID.uuid4()}`);
        if (open && route !== null) open.content.open(route);
        app.shell.activateById(widget.id);
        return widget;
      }
    });
    app.commands.addCommand(Command.TrainFile, {
      label: text['app.lab.train_file'],
      icon: mark,
      describedBy: { args: { type: 'object', properties: { path: { type: 'string' } } } },
      execute: async args => {
        const path = typeof args.path === 'string' ? args.path : chosen(files);
        if (path === null) throw new Error(text['app.lab.none_chosen']);
        const route = await (await start()).take(path);
        if (route !== null) await app.commands.execute(Command.Open, { route });
      }
    });
    palette?.addItem({
      command: Command.Open,
      category: text['app.lab.product'],
      args: { isPalette: true, fresh: true }
    });
    palette?.addItem({ command: Command.TrainFile, category: text['app.lab.product'] });
    // The launcher knows its own groups by their English names.
    launcher?.add({ command: Command.Open, category: 'Other', rank: 0, args: { fresh: true } });
    void restorer?.restore(tracker, {
      command: Command.Open,
      args: widget => ({ route: widget.content.route, id: widget.id, fresh: true }),
      name: widget => widget.id
    });
    settings?.transform(ID, {
      fetch: plugin => ({ ...plugin, schema: spoken(plugin.schema, text) })
    });
    // Until they are loaded, JupyterLab does not know what they add to its menus.
    const known = settings?.load(ID) ?? null;
    if (shell) side(shell, known, restorer, start, text['app.lab.product']);
  }
};

/** The file that is chosen in the file browser. */
function chosen(files: IFileBrowserFactory | null): string | null {
  const [first] = files?.tracker.currentWidget?.selectedItems() ?? [];
  return first?.path ?? null;
}

function routeOf(args: ReadonlyPartialJSONObject): string | null {
  return typeof args.route === 'string' ? args.route : null;
}

/** The panel on the left, unless the settings say otherwise. */
function side(
  shell: ILabShell,
  settings: Promise<ISettingRegistry.ISettings> | null,
  restorer: ILayoutRestorer | null,
  start: () => Promise<Shell>,
  name: string
): void {
  const panel = new Lazy(async node => (await start()).side(node), '');
  panel.id = 'automl-side';
  panel.title.icon = mark;
  panel.title.caption = name;
  panel.node.setAttribute('role', 'region');
  panel.node.setAttribute('aria-label', name);
  const place = (): void => shell.add(panel, 'left', { rank: 600, type: 'AutoML' });
  place();
  restorer?.add(panel, panel.id);
  void settings?.then(found => {
    const follow = (): void => {
      if (found.get('side').composite === false) panel.parent = null;
      else if (!panel.isAttached) place();
    };
    follow();
    found.changed.connect(follow);
  });
}

export default plugin;
