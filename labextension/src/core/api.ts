/** All that is asked of the server: typed by the contract, over a transport that the host gives. */
import type { Answers, Bodies, ErrorBody, FieldProblem, Study } from './contract';

export interface Transport {
  /** Where the server's paths begin, with a slash at the end. */
  readonly base: string;
  /** Send a request to an address; the host adds what proves who asks. */
  send(url: string, init: RequestInit): Promise<Response>;
}

export type Trouble = 'offline' | 'login' | 'forbidden' | 'absent' | 'refused';

/** Something that did not work: its kind, and what the server says of it. */
export class Problem extends Error {
  constructor(
    readonly trouble: Trouble,
    readonly status: number,
    message: string,
    readonly code = '',
    readonly errors: readonly FieldProblem[] = []
  ) {
    super(message);
  }
}

export interface Ask {
  path?: Readonly<Record<string, string>>;
  query?: Readonly<Record<string, string | number>>;
  signal?: AbortSignal;
}

const JSON_TYPE = 'application/json';

export class Api {
  constructor(
    private readonly transport: Transport,
    readonly language: string
  ) {}

  /** The address of an operation, for a link or a form. */
  url(operation: keyof Answers, { path = {}, query = {} }: Ask = {}): string {
    const place = operation
      .replace(/^\w+ \//, 'automl/')
      .replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
    const asked = new URLSearchParams(Object.entries(query).map(([name, value]) => [name, String(value)]));
    return `${this.transport.base}${place}${asked.size ? `?${asked}` : ''}`;
  }

  /** Ask for an object of the contract. */
  async get<O extends keyof Answers>(operation: O, ask: Ask = {}): Promise<Answers[O]> {
    return this.read<Answers[O]>(await this.send(operation, ask));
  }

  /** Send an object of the contract. */
  async post<O extends keyof Answers & keyof Bodies>(
    operation: O,
    body: Bodies[O],
    ask: Ask = {}
  ): Promise<Answers[O]> {
    const init = { body: JSON.stringify(body), headers: { 'Content-Type': JSON_TYPE } };
    return this.read<Answers[O]>(await this.send(operation, ask, init));
  }

  /** Ask again until what has to be computed is there; `told` hears how far it is, from 0 to 1. */
  async study<O extends keyof Answers>(
    operation: O,
    ask: Ask,
    told: (progress: number) => void
  ): Promise<Exclude<Answers[O], Study>> {
    for (;;) {
      const response = await this.send(operation, ask);
      const answer = await this.read<Answers[O]>(response);
      if (response.status !== 202) return answer as Exclude<Answers[O], Study>;
      told((answer as Study).progress);
      await pause(Math.min(1000 * Number(response.headers.get('Retry-After') ?? 1), 2000), ask.signal);
    }
  }

  /** Send a request; whatever is no success is a Problem. */
  async send(operation: keyof Answers, ask: Ask = {}, init: RequestInit = {}): Promise<Response> {
    const method = operation.slice(0, operation.indexOf(' ')).toUpperCase();
    const headers = {
      Accept: JSON_TYPE,
      'Accept-Language': this.language,
      ...(init.headers as Record<string, string>)
    };
    const whole: RequestInit = { ...init, method, headers, cache: 'no-store', redirect: 'manual' };
    if (ask.signal) whole.signal = ask.signal;
    let response: Response;
    try {
      response = await this.transport.send(this.url(operation, ask), whole);
    } catch (cut) {
      if (ask.signal?.aborted) throw cut;
      throw new Problem('offline', 0, '');
    }
    if (response.ok) return response;
    throw await this.problem(response);
  }

  private async read<T>(response: Response): Promise<T> {
    return (response.status === 204 ? null : await response.json()) as T;
  }

  private async problem(response: Response): Promise<Problem> {
    const body = await told(response);
    if (response.type === 'opaqueredirect' || response.status === 401) return new Problem('login', 401, '');
    if (response.status === 403 && !(await this.knows())) return new Problem('login', 403, '');
    if (response.status === 403) return new Problem('forbidden', 403, body?.message ?? '', body?.code);
    // Jupyter's own answer to an address that nobody serves has no code.
    if (response.status === 404 && !body?.code) return new Problem('absent', 404, '');
    if (response.status >= 502)
      return new Problem(body?.code ? 'refused' : 'offline', response.status, body?.message ?? '');
    return new Problem(
      'refused',
      response.status,
      body?.message ?? response.statusText,
      body?.code,
      body?.errors
    );
  }

  /** Whether Jupyter knows who is asking: else a refusal means that the login has expired. */
  private async knows(): Promise<boolean> {
    const answer = await this.transport.send(`${this.transport.base}api/me`, {
      cache: 'no-store',
      redirect: 'manual'
    });
    return answer.ok;
  }
}

async function told(response: Response): Promise<ErrorBody | null> {
  try {
    return (await response.json()) as ErrorBody;
  } catch {
    return null;
  }
}

/** Wait so many milliseconds, or until it is called off. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = (): void => {
      clearTimeout(timer);
      reject(new DOMException('called off', 'AbortError'));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', over);
      resolve();
    }, milliseconds);
    if (signal?.aborted) over();
    signal?.addEventListener('abort', over, { once: true });
  });
}
