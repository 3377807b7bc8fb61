/** The settings in the reader's language. */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import type labels from '../core/words/lab.json';

type Text = (typeof labels)['en'];

/**
 * A schema with what is shown of it as the reader's language says it. JupyterLab itself knows sentences of its
 * language packs only.
 */
export function spoken(schema: ISettingRegistry.ISchema, text: Text): ISettingRegistry.ISchema {
  const told: Readonly<Record<string, { title: string; description: string }>> = {
    notify: { title: text['app.lab.notify'], description: text['app.lab.notify_about'] },
    side: { title: text['app.lab.side'], description: text['app.lab.side_about'] }
  };
  const properties = Object.entries(schema.properties ?? {}).map(
    ([name, property]) => [name, { ...property, ...told[name] }] as const
  );
  return {
    ...schema,
    title: text['app.lab.product'],
    description: text['app.lab.settings'],
    properties: Object.fromEntries(properties)
  };
}
