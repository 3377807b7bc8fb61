/** The card of a version, and the version as code or as a file for elsewhere. */
import type { ReactElement } from 'react';

import { pause, type Ask } from '../core/api';
import { save } from '../core/clipboard';
import type { Model, ModelVersion } from '../core/contract';
import type { Code } from '../core/words';
import { useAction, useApp } from './context';
import { Card, Trouble } from './parts';

type Operation = 'get /api/models/{name}/report/' | 'get /api/models/{name}/export/';

const FILES: readonly (readonly [operation: Operation, format: string, code: Code])[] = [
  ['get /api/models/{name}/report/', 'html', 'app.model.card_html'],
  ['get /api/models/{name}/report/', 'markdown', 'app.model.card_markdown'],
  ['get /api/models/{name}/export/', 'notebook', 'app.model.export_notebook'],
  ['get /api/models/{name}/export/', 'python', 'app.model.export_python'],
  ['get /api/models/{name}/export/', 'onnx', 'app.model.export_onnx'],
  ['get /api/models/{name}/export/', 'mlflow', 'app.model.export_mlflow']
];

export function Exports({ model, version }: { model: Model; version: ModelVersion }): ReactElement {
  const { words } = useApp();
  const all = model.task === 'clustering' ? FILES.slice(0, 2) : FILES;
  return (
    <Card title={words.text('app.model.take_away')}>
      <div className="am-downloads">
        {all.map(([operation, format, code]) => (
          <Download
            key={operation + format}
            label={words.text(code)}
            operation={operation}
            ask={{ path: { name: model.name }, query: { version: version.version, format } }}
          />
        ))}
      </div>
    </Card>
  );
}

function Download({
  label,
  operation,
  ask
}: {
  label: string;
  operation: Operation;
  ask: Ask;
}): ReactElement {
  const { api, words } = useApp();
  const action = useAction();
  const fetch = async (): Promise<void> => {
    for (;;) {
      const response = await api.send(operation, ask);
      if (response.status !== 202) {
        const name = /filename="([^"]+)"/.exec(response.headers.get('Content-Disposition') ?? '')?.[1];
        save(await response.blob(), name ?? 'model');
        return;
      }
      // Read to its end, so that the connection is free again.
      await response.arrayBuffer();
      await pause(1000 * Number(response.headers.get('Retry-After') ?? 1));
    }
  };
  return (
    <div>
      <button type="button" disabled={action.busy} onClick={() => action.run(fetch)}>
        {label}
      </button>
      <span role="status" className="am-soft">
        {action.busy && words.text('app.computing')}
      </span>
      {action.problem && <Trouble problem={action.problem} />}
    </div>
  );
}
