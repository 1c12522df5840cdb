import { type Adoption, draftPolicy, present, rowsOf, selectorOf, spanOf } from './adoption.ts';
import { drainoFlags, ektopistisFlags } from './draino-flags.ts';
import { isOn, last, settingsOf, type Workload } from './workload.ts';

export function adoptDraino(workload: Workload): Adoption {
  const read = settingsOf(workload, drainoFlags, () => '');
  const conditions = read.words.filter((word) => /^[A-Za-z]/.test(word));
  const settings = {
    ...read,
    of: new Map([...read.of, ...(conditions.length > 0 ? [['conditions', conditions] as const] : [])]),
  };
  const labels = (settings.of.get('node-label') ?? []).flatMap((text) => {
    const [key = '', value = ''] = text.split('=');
    return key ? [[key, value] as const] : [];
  });
  const toDo: string[] = [];
  if (settings.of.has('node-label-expr'))
    toDo.push('write node-label-expr as spec.nodeSelector: until then every Linux node is selected');
  if (conditions.length === 0) toDo.push('no condition was given: the policy has KernelDeadlock as an example');
  const spec = present({
    nodeSelector: labels.length > 0 ? { matchLabels: Object.fromEntries(labels) } : selectorOf({ ...workload, pod: {} }),
    paused: isOn(settings, 'dry-run') ? true : null,
    reasons: (conditions.length > 0 ? conditions : ['KernelDeadlock']).map(conditionReason),
    disruption: { maxNodes: 1, minInterval: spanOf(last(settings, 'drain-buffer')) ?? '10m' },
    drain: {
      emptyDir: isOn(settings, 'evict-emptydir-pods') ? 'Evict' : 'Protect',
      barePods: isOn(settings, 'evict-unreplicated-pods') ? 'Evict' : 'Protect',
      daemonSets: isOn(settings, 'evict-daemonset-pods') ? 'Evict' : 'Skip',
    },
    // draino leaves the node cordoned, for the autoscaler or a person to take it away.
    handBack: 'Never',
  });
  toDo.push('scale draino to 0 before the policy is applied: both would drain the same nodes');
  return {
    tool: 'draino',
    title: workload.title,
    policies: [draftPolicy('unhealthy-nodes', spec)],
    agent: null,
    rows: rowsOf(settings, drainoFlags),
    toDo,
  };
}

/** "Ready=Unknown,10m": type, status and how long; only the type is needed. */
function conditionReason(word: string): object {
  const [, type = word, status, held] = /^([^=,]+)(?:=([A-Za-z]+))?(?:,(.+))?$/.exec(word) ?? [];
  return { type: 'Condition', condition: present({ type, status, for: spanOf(held) }) };
}

export function adoptEktopistis(workload: Workload): Adoption {
  const settings = settingsOf(workload, ektopistisFlags, () => '');
  const key = last(settings, 'drain-taint-name') ?? last(settings, 'drain-taint') ?? 'ektopistis.io/drain';
  const spec = {
    nodeSelector: selectorOf({ ...workload, pod: {} }),
    reasons: [{ type: 'Taint', taint: { key: key.split(/[=:]/)[0] ?? key } }],
    disruption: { maxNodes: 1 }, // it drains no node while another is cordoned
    drain: { barePods: 'Evict' },
    handBack: 'Never',
  };
  return {
    tool: 'ektopistis',
    title: workload.title,
    policies: [draftPolicy('tainted-nodes', spec)],
    agent: null,
    rows: rowsOf(settings, ektopistisFlags),
    toDo: ['remove ektopistis before the policy is applied: both would drain the same nodes'],
  };
}
