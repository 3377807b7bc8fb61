/** Where a file is dropped or chosen, and how far it has come. */
import { useRef, useState, type ReactElement } from 'react';

import { useApp, useAppState } from './context';
import { Trouble } from './parts';

export function Drop(): ReactElement {
  const app = useApp();
  const { words, format } = app;
  const { sending } = useAppState();
  const [over, setOver] = useState(false);
  const last = useRef<File | null>(null);
  const take = (file: File | null | undefined): void => {
    if (!file) return;
    last.current = file;
    void app.send(file);
  };
  const under = sending !== null && !sending.problem && !sending.stopped;
  const share = sending?.size ? sending.sent / sending.size : 1;
  return (
    // A file can be chosen as well: dropping is the short way for who has a mouse.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      className={`am-drop ${over ? 'am-over' : ''}`}
      onDragOver={event => {
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        take(event.dataTransfer.files[0]);
      }}
    >
      <svg viewBox="0 0 48 48" aria-hidden="true" className="am-drop-art">
        <path d="M8 30v8a2 2 0 0 0 2 2h28a2 2 0 0 0 2-2v-8M24 8v22m0-22-8 8m8-8 8 8" />
      </svg>
      <label className="am-drop-label">
        <span>{words.text('notebook.drop.drop')}</span>
        <input
          type="file"
          accept=".csv,.tsv,.txt,text/csv"
          disabled={under}
          onChange={event => {
            take(event.target.files?.[0]);
            event.target.value = '';
          }}
        />
      </label>
      <div className="am-drop-state">
        {under && (
          <>
            <progress value={share} max={1} aria-label={words.text('notebook.drop.progress')} />
            <button type="button" onClick={() => app.stopUpload()}>
              {words.text('notebook.drop.stop')}
            </button>
          </>
        )}
        <span role="status" className="am-soft">
          {under &&
            (share < 1
              ? `${sending.name} · ${format.bytes(sending.sent)} / ${format.bytes(sending.size)}`
              : words.text('app.data.reading'))}
          {sending?.stopped && words.text('notebook.drop.stopped')}
        </span>
        {sending?.problem && <Trouble problem={sending.problem} again={() => take(last.current)} />}
      </div>
    </div>
  );
}
