/** How the values of a column spread, as small bars. */
import type { ReactElement } from 'react';

import { plain } from '../core/format';
import { useApp } from './context';

const WIDTH = 96;
const HEIGHT = 24;
const MOST = 20;

export interface SpreadOf {
  counts: number[];
  ends: [string, string];
}

/** The bars of a column's profile: a histogram, or the most frequent values; null where there is neither. */
export function spreadOf(profile: Record<string, unknown> | undefined): SpreadOf | null {
  const histogram = profile?.histogram;
  if (isHistogram(histogram)) {
    const { edges, counts } = histogram;
    return { counts, ends: [String(edges[0] ?? ''), String(edges[edges.length - 1] ?? '')] };
  }
  const top = profile?.top;
  if (!Array.isArray(top) || top.length === 0) return null;
  const frequent = top.filter(isFrequent).slice(0, MOST);
  return {
    counts: frequent.map(item => item.count),
    ends: [plain(frequent[0]?.value), plain(frequent[frequent.length - 1]?.value)]
  };
}

function isHistogram(value: unknown): value is { edges: (number | string)[]; counts: number[] } {
  return typeof value === 'object' && value !== null && 'counts' in value && Array.isArray(value.counts);
}

function isFrequent(value: unknown): value is { value: unknown; count: number } {
  return typeof value === 'object' && value !== null && 'count' in value && typeof value.count === 'number';
}

export function Spread({ spread, name }: { spread: SpreadOf; name: string }): ReactElement {
  const { words, format } = useApp();
  const most = Math.max(...spread.counts, 1);
  const step = WIDTH / Math.max(spread.counts.length, 4);
  const ends = spread.ends.map(end =>
    end !== '' && Number.isFinite(Number(end)) ? format.short(Number(end), 3) : end
  );
  const label = words.text('app.data.spread_of', { name, first: ends[0] ?? '', last: ends[1] ?? '' });
  return (
    <svg className="am-spread" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label}>
      {spread.counts.map((count, index) => {
        const height = count ? Math.max((HEIGHT * count) / most, 1) : 0;
        return (
          <rect
            key={index}
            x={index * step}
            y={HEIGHT - height}
            width={Math.max(step - 1, 0.5)}
            height={height}
          />
        );
      })}
    </svg>
  );
}
