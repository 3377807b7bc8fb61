/** Server-sent events out of a response's stream. */

export interface Happening {
  id: number;
  kind: string;
}

/** The events of a stream, as they come; what is not complete when the stream ends is left out. */
export async function* happenings(stream: ReadableStream<Uint8Array>): AsyncGenerator<Happening> {
  const reader = stream
    .pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>)
    .getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const blocks = (rest + value).split('\n\n');
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const id = /^id: (\d+)$/m.exec(block)?.[1];
        const kind = /^event: (\w+)$/m.exec(block)?.[1];
        if (id && kind) yield { id: Number(id), kind };
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
