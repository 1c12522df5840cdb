/** The news of one node, from what the controller saw to a notice. Pure. */
import type { StringMap } from '../api/objects.ts';
import type { Topic } from '../api/notify.ts';
import type { MarkerName } from '../api/template/markers.ts';
import type { Millis } from '../lib/clock.ts';
import { type Notice, type NoticeTopic, severityOf } from './notice.ts';
import type { Struct, Value } from './template/value.ts';

export interface NodeNews {
  readonly topic: Topic;
  readonly at: Millis;
  /** Name of the NodeMaintenance. */
  readonly maintenance: string;
  readonly node: string;
  readonly labels: StringMap;
  readonly policy: string | null;
  readonly reasonType: string;
  readonly reason: string;
  readonly phase: string;
  /** When the present try began; undefined before the first. */
  readonly startedAt?: Millis;
  /** When the machine is gone. */
  readonly deadline?: Millis;
  /** What makes it go on or end, in a sentence; empty where the topic says all. */
  readonly message: string;
  readonly waiting?: { readonly cause: string; readonly message: string; readonly unblock: string; readonly pod?: string };
  /** Names of the pods that have to leave; null while they are not known. */
  readonly pods: readonly { readonly namespace: string; readonly name: string }[] | null;
  /** What makes a wait another one; empty for other topics. */
  readonly waitKey: string;
  /** Earlier news of it, oldest first. */
  readonly history: readonly string[];
}

export interface Place {
  readonly clusterName: string;
}

/** Told once in a try: news of the next try are new. */
export function keyOf({ topic, waitKey, startedAt }: Pick<NodeNews, 'topic' | 'waitKey' | 'startedAt'>): string {
  return `${topic}${waitKey === '' ? '' : `:${waitKey}`}@${Math.floor((startedAt ?? 0) / 1_000)}`.slice(0, 120);
}

export function noticeOf(news: NodeNews, place: Place): Notice {
  const { topic, node, policy, maintenance, at } = news;
  const title = sentence(news, place);
  const text = [title, ...(news.history.length > 0 ? ['', ...news.history] : [])].join('\n');
  return {
    key: keyOf(news),
    thread: maintenance,
    topic,
    kind: topic === 'Waiting' || topic === 'Failed' ? 'Alert' : 'State',
    severity: severityOf(topic),
    at,
    title,
    text,
    markers: markersOf(news, place, { topic, title, text }),
    subject: node,
    incident: `drover/${place.clusterName === '' ? '' : `${place.clusterName}/`}${policy ?? '-'}/${node}`,
  };
}

/** To the owners of the pods of one namespace. */
export function podsNotice(news: NodeNews, namespace: string, place: Place): Notice {
  const whole = noticeOf(news, place);
  const own = (news.pods ?? []).filter((pod) => pod.namespace === namespace).map(({ name }) => name);
  const blocked = news.waiting?.pod?.startsWith(`${namespace}/`) === true;
  const title = blocked
    ? `namespace ${namespace}: ${whole.title}`
    : `namespace ${namespace}: ${listed(own, 'pod')} ${own.length === 1 ? 'moves' : 'move'} away from node ${news.node}: ${reasonOf(news)}`;
  return {
    ...whole,
    topic: blocked ? news.topic : 'Pods',
    thread: `${news.maintenance}/${namespace}`,
    title,
    text: title,
    markers: { ...whole.markers, Text: title, NodePods: own },
  };
}

/** The sentence with which it goes into the history of its message. */
export function historyLine(news: NodeNews): string {
  return `${new Date(news.at).toISOString().slice(11, 16)} UTC ${happened[news.topic](news)}`;
}

function reasonOf({ reason, policy }: NodeNews): string {
  return `${reason}${policy === null ? '' : ` (policy ${policy})`}`;
}

const because = ({ message }: NodeNews) => (message === '' ? '' : `: ${message}`);

const happened: Readonly<Record<Topic, (news: NodeNews) => string>> = {
  Started: (news) => `draining${news.pods === null ? '' : `, ${counted(news.pods.length, 'pod')} to move`}`,
  Drained: (news) => `drained${news.startedAt === undefined ? '' : ` in ${span(news.at - news.startedAt)}`}`,
  Rebooting: () => 'rebooting',
  Verifying: () => 'being verified',
  HandedBack: (news) => `back in service${because(news)}`,
  SteppedAside: (news) => `back in service for now, tried again later${because(news)}`,
  Waiting: ({ waiting }) =>
    waiting
      ? `waits: ${waiting.pod === undefined ? '' : `pod ${waiting.pod}: `}${waiting.message}; what would help: ${waiting.unblock}`
      : 'waits',
  Failed: (news) => `given up${because(news)}`,
  Cancelled: (news) => `not drained any more${because(news)}`,
};

function sentence(news: NodeNews, { clusterName }: Place): string {
  const where = clusterName === '' ? '' : `[${clusterName}] `;
  const why =
    news.topic === 'Started'
      ? `: ${reasonOf(news)}`
      : news.topic === 'Failed' || news.topic === 'Waiting'
        ? ''
        : ` (${reasonOf(news)})`;
  return `${where}node ${news.node}: ${happened[news.topic](news)}${why}`;
}

export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

/** At most five names. */
export function listed(names: readonly string[], what: string): string {
  const shown = names.slice(0, 5).join(', ');
  return `${counted(names.length, what)}${names.length === 0 ? '' : ` (${shown}${names.length > 5 ? ', ...' : ''})`}`;
}

/** "42s", "12m", "2h05m" */
export function span(ms: Millis): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes}m` : `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

/** What a template sees where there is no node: in messages about a run and in tests. */
export function emptyMarkers(place: Place, at: Millis): Record<MarkerName, Value> {
  return {
    Event: {
      EventId: '',
      EventType: '',
      ResourceType: 'VirtualMachine',
      Resources: [],
      EventStatus: '',
      NotBefore: '',
      Description: '',
      EventSource: 'Platform',
      DurationInSeconds: -1,
    },
    NodeName: '',
    NodeLabels: new Map(),
    ClusterName: place.clusterName,
    InstanceType: '',
    NodeArch: '',
    NodeOS: '',
    NodeRole: '',
    NodeRegion: '',
    NodeZone: '',
    NodePods: [],
    Topic: '',
    Phase: '',
    Policy: '',
    Reason: '',
    ReasonType: '',
    Maintenance: '',
    Message: '',
    Text: '',
    Severity: 'info',
    WaitingFor: '',
    Pods: 0,
    Run: { Policy: '', Total: 0, Done: 0, Waiting: 0, Failed: 0, Active: 0, Ended: false },
    Time: new Date(at).toISOString(),
  };
}

function markersOf(news: NodeNews, place: Place, told: { topic: NoticeTopic; title: string; text: string }): Struct {
  const { labels, deadline } = news;
  const label = (...keys: readonly string[]) => keys.map((key) => labels[key]).find((value) => value !== undefined) ?? '';
  const role =
    Object.keys(labels)
      .find((key) => key.startsWith('node-role.kubernetes.io/'))
      ?.split('/')[1] ?? '';
  return {
    ...emptyMarkers(place, news.at),
    // The fields of an Azure Scheduled Event, filled with what Drover knows of any reason.
    Event: {
      EventId: news.maintenance,
      EventType: news.reasonType,
      ResourceType: 'VirtualMachine',
      Resources: [news.node],
      EventStatus: news.topic === 'Started' || news.topic === 'Waiting' ? 'Scheduled' : 'Started',
      NotBefore: deadline === undefined ? '' : new Date(deadline).toUTCString(),
      Description: news.reason,
      EventSource: news.reasonType === 'Manual' ? 'User' : 'Platform',
      DurationInSeconds: -1,
    },
    NodeName: news.node,
    NodeLabels: new Map(Object.entries(labels)),
    ClusterName: place.clusterName === '' ? label('kubernetes.azure.com/cluster') : place.clusterName,
    InstanceType: label('node.kubernetes.io/instance-type', 'beta.kubernetes.io/instance-type'),
    NodeArch: label('kubernetes.io/arch', 'beta.kubernetes.io/arch'),
    NodeOS: label('kubernetes.io/os', 'beta.kubernetes.io/os'),
    NodeRole: label('kubernetes.io/role') || role,
    NodeRegion: label('topology.kubernetes.io/region', 'failure-domain.beta.kubernetes.io/region'),
    NodeZone: label('topology.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/zone'),
    NodePods: (news.pods ?? []).map(({ name }) => name),
    Topic: told.topic,
    Phase: news.phase,
    Policy: news.policy ?? '',
    Reason: news.reason,
    ReasonType: news.reasonType,
    Maintenance: news.maintenance,
    Message: news.message,
    Text: told.title,
    Severity: severityOf(told.topic),
    WaitingFor: news.waiting?.message ?? '',
    Pods: news.pods?.length ?? 0,
  };
}
