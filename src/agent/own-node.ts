/** The agent's own Node: what it reads of it, and the one patch by which it says everything. */
import { annotations } from '../api/names.ts';
import { type NodeSignal, readSignals, writeSignals } from '../api/node-signal.ts';
import type { Node } from '../api/objects.ts';
import { type KubeClient, KubeError } from '../kube/client.ts';
import { nodes, objectPath } from '../kube/kinds.ts';
import { patch } from '../kube/patch.ts';
import type { Millis } from '../lib/clock.ts';
import type { Verdict } from './checks/verdict.ts';
import { timeText } from './source.ts';

export type NodeVerdict = Verdict & { readonly since: Millis };

export interface OwnNode {
  readonly uid: string;
  readonly providerId: string;
  readonly node: Node;
  readonly signals: readonly NodeSignal[];
  /** What is malformed in the annotation, for the log. */
  readonly signalsError: string | null;
  /** The types of the conditions that an agent has written. */
  readonly owned: readonly string[];
  readonly conditions: ReadonlyMap<string, NodeVerdict>;
}

interface RawNode {
  readonly metadata?: { readonly uid?: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly spec?: { readonly providerID?: string };
  readonly status?: {
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly reason?: string;
      readonly message?: string;
      readonly lastTransitionTime?: string | null;
    }[];
  };
}

const pathOf = (name: string, subresource?: string) => objectPath(nodes, { namespace: '', name }, subresource);

/** @throws KubeError, 404 when there is no such node (yet). */
export async function readOwnNode(client: KubeClient, name: string): Promise<OwnNode> {
  const raw = await client.json<RawNode>({ method: 'GET', path: pathOf(name) });
  const node = nodes.decodeJson(raw);
  if (!node) throw new KubeError(`node ${name} cannot be read`, { code: 0 });
  const { signals, error } = readSignals(raw.metadata?.annotations?.[annotations.signals]);
  return {
    uid: node.uid,
    providerId: raw.spec?.providerID ?? '',
    node,
    signals,
    signalsError: error,
    owned: typesOf(raw.metadata?.annotations?.[annotations.agentConditions]),
    conditions: new Map(
      (raw.status?.conditions ?? []).map(({ type, status, reason = '', message = '', lastTransitionTime }) => [
        type,
        { type, status: statusOf(status), reason, message, since: Date.parse(lastTransitionTime ?? '') || 0 },
      ]),
    ),
  };
}

function statusOf(status: string): Verdict['status'] {
  return status === 'True' || status === 'False' ? status : 'Unknown';
}

/** Somebody may have edited it: what cannot be read owns nothing. */
function typesOf(text: string | undefined): string[] {
  try {
    const types: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(types) ? types.filter((type): type is string => typeof type === 'string') : [];
  } catch {
    return [];
  }
}

export interface NodeStatement {
  readonly signals: readonly NodeSignal[];
  readonly conditions: readonly Verdict[];
}

export interface StatementPatch {
  readonly metadata: { readonly uid: string; readonly annotations: Readonly<Record<string, string | null>> };
  readonly status: { readonly conditions: readonly object[] };
}

/**
 * One patch of nodes/status for annotations and conditions. The status subresource takes metadata, too: the kubelet itself writes
 * annotations there (k8s.io/component-helpers node/util/status.go, preparePatchBytesforNodeStatus). Conditions that no source has any more
 * are taken off. It names no resourceVersion: every condition is merged by its type, so it meets no other writer.
 * @param since when each condition took its status
 */
export function statementPatch(
  uid: string,
  { signals, conditions }: NodeStatement,
  owned: readonly string[],
  since: (type: string) => Millis,
  now: Millis,
): StatementPatch {
  const types = conditions.map(({ type }) => type);
  return {
    metadata: {
      uid,
      annotations: {
        [annotations.signals]: writeSignals(signals),
        [annotations.agentConditions]: JSON.stringify([...types].sort()),
      },
    },
    status: {
      conditions: [
        ...conditions.map(({ type, status, reason, message }) => ({
          type,
          status,
          reason,
          message,
          lastTransitionTime: timeText(since(type)),
          lastHeartbeatTime: timeText(now),
        })),
        ...owned.filter((type) => !types.includes(type)).map((type) => ({ type, $patch: 'delete' })),
      ],
    },
  };
}

/** @throws KubeError; 422 when the node under this name is another one, 404 when it is gone. */
export async function writeStatement(client: KubeClient, name: string, body: StatementPatch): Promise<void> {
  await patch(client, pathOf(name, 'status'), body, 'strategic', { fieldManager: 'drover-agent', timeoutMs: 10_000 });
}
