/** What is known of the server: one value for each key, whether it is being asked for, and what went wrong. */
import { Problem } from './api';

export interface Load<T> {
  readonly value?: T;
  readonly problem?: Problem;
  readonly busy: boolean;
  /** How far it is, from 0 to 1, where it has to be computed first. */
  readonly progress?: number;
}

type Fetch<T> = (told: (progress: number) => void) => Promise<T>;

const NOTHING: Load<never> = { busy: false };

export class Cache {
  private readonly loads = new Map<string, Load<unknown>>();
  private readonly asking = new Map<string, object>();
  private readonly listeners = new Set<() => void>();

  /** Hear of every change; the answer ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** What is known by a key; the same object until it changes. */
  read<T>(key: string): Load<T> {
    return (this.loads.get(key) as Load<T> | undefined) ?? NOTHING;
  }

  /** Ask unless the value is known or asked for already. */
  need<T>(key: string, fetch: Fetch<T>): void {
    const known = this.read<T>(key);
    if (known.value === undefined && !known.problem && !this.asking.has(key)) void this.load(key, fetch);
  }

  /** Ask, whatever is known; meanwhile the old value stays. The answer of an older question is dropped. */
  async load<T>(key: string, fetch: Fetch<T>): Promise<void> {
    const turn = {};
    this.asking.set(key, turn);
    const mine = (): boolean => this.asking.get(key) === turn;
    this.set(key, { ...kept(this.read<T>(key)), busy: true });
    try {
      const value = await fetch(progress => {
        if (mine()) this.set(key, { ...kept(this.read<T>(key)), busy: true, progress });
      });
      if (mine()) this.put(key, value);
    } catch (error) {
      if (!mine()) return;
      this.asking.delete(key);
      const problem = error instanceof Problem ? error : new Problem('refused', 0, String(error));
      this.set(key, { ...kept(this.read<T>(key)), busy: false, problem });
    }
  }

  /** Know a value from elsewhere, such as the answer to an action. */
  put(key: string, value: unknown): void {
    this.asking.delete(key);
    this.set(key, { value, busy: false });
  }

  /** Forget all keys that begin so: whoever shows them asks again. */
  forget(prefix: string): void {
    for (const key of [...this.loads.keys()]) {
      if (key.startsWith(prefix)) {
        this.loads.delete(key);
        this.asking.delete(key);
      }
    }
    this.tell();
  }

  private set(key: string, load: Load<unknown>): void {
    this.loads.set(key, load);
    this.tell();
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

function kept<T>(load: Load<T>): Pick<Load<T>, 'value'> {
  return load.value === undefined ? {} : { value: load.value };
}
