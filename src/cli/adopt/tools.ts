import type { Adoption } from './adoption.ts';
import { adoptAks } from './aks.ts';
import { adoptAws } from './aws.ts';
import { adoptDraino, adoptEktopistis } from './draino.ts';
import { adoptKured } from './kured.ts';
import { adoptProblemDetector } from './problem-detector.ts';
import { type RawObject, type Workload, workloadsOf } from './workload.ts';

/** Name of the image or the container -> how it is read. */
const tools: Readonly<Record<string, (workload: Workload) => Adoption>> = {
  kured: adoptKured,
  'aks-node-termination-handler': adoptAks,
  'aws-node-termination-handler': adoptAws,
  draino: adoptDraino,
  ektopistis: adoptEktopistis,
  'node-problem-detector': adoptProblemDetector,
};

export const toolNames: readonly string[] = Object.keys(tools);

export const isTool = (object: RawObject): boolean => workloadsOf([object], toolNames).length > 0;

export function adoptAll(objects: readonly RawObject[]): readonly Adoption[] {
  return Object.entries(tools).flatMap(([name, adopt]) => workloadsOf(objects, [name]).map(adopt));
}
