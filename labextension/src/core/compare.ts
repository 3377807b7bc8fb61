/** Which version to compare another one with. */
import type { Model, ModelVersion } from './contract';

/** The versions that there are besides one; the first is what it has to beat: the one in service, or the one before. */
export function rivals(model: Model, version: number): ModelVersion[] {
  const worth = (other: ModelVersion): number => {
    if (other.version === model.champion) return 0;
    return other.version < version ? 1 : 2;
  };
  return model.versions
    .filter(other => other.version !== version)
    .sort((one, other) => worth(one) - worth(other) || other.version - one.version);
}
