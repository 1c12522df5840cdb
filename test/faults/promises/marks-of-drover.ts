/** What Drover has written on nodes and pods, read without its code: the judge does not ask the accused. */
import { annotations, labels } from '../../../src/api/names.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { isPodFinished } from '../../../src/sim/conditions.ts';
import { controllerOf } from '../../../src/sim/controllers/controller-ref.ts';
import type { DisruptionBudget, KubeObject, Labels, Node, Pod } from '../../../src/sim/kubernetes.ts';
import type { Maintenance, Stage } from '../stage.ts';

interface Journal {
  readonly by: string;
  readonly stage: 'Marked' | 'Cordoned';
}

function parsed<T>(object: KubeObject | undefined, key: string): T | undefined {
  const text = object?.metadata.annotations?.[key];
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

export const journalOf = (node: Node | undefined): Journal | undefined => parsed<Journal>(node, annotations.maintenance);

export const isClosedByDrover = (node: Node | undefined): boolean =>
  node?.spec.unschedulable === true && journalOf(node)?.stage === 'Cordoned';

export interface Handover {
  readonly owner: { readonly uid: string };
  readonly labels: Readonly<Record<string, string>>;
  readonly unlistedAt?: number;
  readonly readyAtStart: number;
}

export const handoverOf = (pod: Pod): Handover | undefined => parsed<Handover>(pod, annotations.handover);

/** The maintenance that has the node of this name in hand. */
export function maintenanceOf({ api, maintenances }: Stage, nodeName: string): Maintenance | undefined {
  const by = journalOf(api.get(kinds.nodes, '', nodeName))?.by;
  return by === undefined ? undefined : api.get(maintenances, '', by);
}

export const ownerUid = (object: KubeObject): string | undefined => controllerOf(object)?.uid;

export const keyOf = ({ metadata }: KubeObject): string =>
  metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;

export const isSelectedBy = ({ spec }: DisruptionBudget, labels: Labels = {}): boolean =>
  Object.entries(spec.selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);

export const budgetsOf = ({ api }: Stage, { metadata: { namespace = '', labels } }: Pod): readonly DisruptionBudget[] =>
  api.list(kinds.budgets, { namespace }).filter((budget) => isSelectedBy(budget, labels));

/** One that Drover has created to reboot its node. */
export const isRebootPod = ({ metadata }: Pod): boolean => metadata.labels?.[labels.action] === 'reboot';

/** Pods that a drain would have to move. */
export function podsLeftOn({ api }: Stage, nodeName: string): readonly Pod[] {
  const isDaemon = (pod: Pod) => controllerOf(pod)?.kind === 'DaemonSet';
  return api
    .list(kinds.pods, { fields: { 'spec.nodeName': nodeName } })
    .filter((pod) => !isDaemon(pod) && !isPodFinished(pod) && !isRebootPod(pod));
}

export const isEmpty = (stage: Stage, nodeName: string): boolean => podsLeftOn(stage, nodeName).length === 0;
