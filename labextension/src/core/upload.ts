/** Takes a file to the server in pieces, and goes on after a cut where the server has stopped. */
import { Problem, pause, type Api } from './api';
import type { Dataset } from './contract';

const RETRIES = 6;
const PIECE = 8_000_000;

/** Part of a file that can be sent. */
export interface Sendable {
  readonly name: string;
  readonly size: number;
  slice(from: number, to: number): Blob;
}

/** Send a file; `told` hears how many bytes have arrived. Calling it off erases what has. */
export async function upload(
  api: Api,
  file: Sendable,
  signal: AbortSignal,
  told: (bytes: number) => void
): Promise<Dataset> {
  const begun = await api.post('post /api/uploads/', { filename: file.name, size: file.size }, { signal });
  const path = { upload_id: begun.id };
  const piece = Math.min(PIECE, begun.max_piece_bytes);
  let offset = 0;
  let failures = 0;
  try {
    for (;;) {
      told(offset);
      try {
        const response = await api.send(
          'patch /api/uploads/{upload_id}/',
          { path, signal },
          {
            body: file.slice(offset, offset + piece),
            headers: { 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) }
          }
        );
        if (response.status === 201) return (await response.json()) as Dataset;
        offset = Number(response.headers.get('Upload-Offset'));
        failures = 0;
      } catch (cut) {
        failures += 1;
        if (signal.aborted || !passing(cut) || failures > RETRIES) throw cut;
        await pause(150 * 2 ** failures, signal);
        offset = (await arrived(api, path)) ?? offset;
      }
    }
  } catch (ended) {
    if (signal.aborted) await api.send('delete /api/uploads/{upload_id}/', { path }).catch(() => null);
    throw ended;
  }
}

function passing(cut: unknown): boolean {
  return cut instanceof Problem && (cut.trouble === 'offline' || cut.status >= 500 || cut.status === 409);
}

/** Where the server wants to go on; null where it cannot say. */
async function arrived(api: Api, path: { upload_id: string }): Promise<number | null> {
  try {
    const response = await api.send('head /api/uploads/{upload_id}/', { path });
    return Number(response.headers.get('Upload-Offset'));
  } catch {
    return null;
  }
}
