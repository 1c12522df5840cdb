/** What Drover has written on nodes and pods, read without its code: the judge does not ask the accused. */
import { annotations } from '../../../src/api/names.ts';
import * as kinds from '../../../src/sim/apiserver/kinds.ts';
import { controllerOf } from '../../../src/sim/controllers/controller-ref.ts';
import type { KubeObject, Node, Pod } from '../../../src/sim/kubernetes.ts';
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
