/** How views reach the application. */
import { createContext, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react';

import { asProblem, type App, type State } from '../core/app';
import type { Load } from '../core/cache';
import type { Problem } from '../core/api';

/** Milliseconds after which a server that was away is asked again. */
const RETRY = 5000;

export const AppContext = createContext<App | null>(null);

export function useApp(): App {
  const app = useContext(AppContext);
  if (!app) throw new Error('a view stands outside of the application');
  return app;
}

export function useAppState(): State {
  const app = useApp();
  return useSyncExternalStore(app.subscribe, app.snapshot);
}

/** What is known by a key; it is asked for where it is not. An empty key asks for nothing. */
export function useLoad<T>(
  key: string,
  fetch: (told: (progress: number) => void) => Promise<T>
): Load<T> & { again: () => void } {
  const { cache } = useApp();
  const load = useSyncExternalStore(cache.subscribe, () => cache.read<T>(key));
  const latest = useRef(fetch);
  useEffect(() => {
    latest.current = fetch;
    // What was forgotten is asked for again.
    if (key && load.value === undefined) cache.need(key, latest.current);
  });
  const away = load.problem?.trouble === 'offline' && !load.busy;
  useEffect(() => {
    if (!away) return undefined;
    const again = (): void => void cache.load(key, latest.current);
    const timer = setTimeout(again, RETRY);
    window.addEventListener('online', again);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('online', again);
    };
  }, [away, cache, key]);
  return { ...load, again: () => void cache.load(key, latest.current) };
}

export interface Action {
  readonly busy: boolean;
  readonly problem: Problem | null;
  run(work: () => Promise<unknown>): void;
}

/** Something that a person has begun: whether it is under way, and what went wrong. */
export function useAction(): Action {
  const [state, set] = useState<{ busy: boolean; problem: Problem | null }>({ busy: false, problem: null });
  const under = useRef(false);
  return {
    ...state,
    run(work) {
      if (under.current) return;
      under.current = true;
      set({ busy: true, problem: null });
      work().then(
        () => {
          under.current = false;
          set({ busy: false, problem: null });
        },
        (error: unknown) => {
          under.current = false;
          set({ busy: false, problem: asProblem(error) });
        }
      );
    }
  };
}
