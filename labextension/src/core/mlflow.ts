/** Places in MLflow's own pages, where their address is configured; they end in a slash. */
import type { ModelVersion } from './contract';

/** The run of a search: MLflow finds its experiment, and shows the trials below it. */
export function runIn(pages: string | null, run: string | null): string | null {
  return pages && run ? `${pages}#/runs/${encodeURIComponent(run)}` : null;
}

/** A version in MLflow's registry, which has it a little later than we do. */
export function versionIn(
  pages: string | null,
  version: Pick<ModelVersion, 'mlflow_name' | 'mlflow_version'>
): string | null {
  const { mlflow_name: name, mlflow_version: number } = version;
  if (!pages || !name || !number) return null;
  return `${pages}#/models/${encodeURIComponent(name)}/versions/${encodeURIComponent(number)}`;
}
