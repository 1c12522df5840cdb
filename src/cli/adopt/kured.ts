import { formatDuration, parseDuration } from '../../api/duration.ts';
import { negated, parseSelectorText } from '../selector-text.ts';
import {
  type Adoption,
  draftPolicy,
  graceOf,
  placeOf,
  portAddress,
  present,
  rowsOf,
  selectionToDo,
  selectorOf,
  spanOf,
} from './adoption.ts';
import { kuredFlags } from './kured-flags.ts';
import { windowsOf } from './kured-window.ts';
import { channelOfShoutrrr, secretRef, secretToDo } from './notify-secret.ts';
import { isOn, last, onHost, type Settings, settingsOf, type Workload } from './workload.ts';

const SECRET = 'kured-notify';

export function adoptKured(workload: Workload): Adoption {
  const settings = settingsOf(workload, kuredFlags, (flag) => `KURED_${flag.toUpperCase().replaceAll('-', '_')}`);
  const toDo = [...selectionToDo(workload)];
  const spec = present({
    nodeSelector: selectorOf(workload),
    reasons: [{ type: 'Signal', name: 'reboot required', signal: { kinds: ['RebootRequired'], sources: ['sentinel'] } }],
    action: 'Reboot',
    reboot: rebootOf(settings),
    schedule: scheduleOf(settings, toDo),
    disruption: present({
      maxNodes: Math.max(1, Number(last(settings, 'concurrency') ?? '1') || 1),
      minInterval: spanOf(last(settings, 'lock-release-delay')),
    }),
    gates: gatesOf(settings),
    drain: drainOf(settings),
    notify: notifyOf(settings, toDo),
  });
  const sentinel = last(settings, 'reboot-sentinel') ?? '/var/run/reboot-required';
  const file = onHost(workload, sentinel) ?? sentinel;
  const metrics = portAddress(last(settings, 'metrics-port'), last(settings, 'metrics-host') ?? '');
  const config = present({
    sentinelFile: file,
    sentinelCommand: last(settings, 'reboot-sentinel-command'),
    sentinelInterval: spanOf(last(settings, 'period')) ?? '1m',
    metricsAddress: metrics,
    logFormat: last(settings, 'log-format'),
  });
  toDo.push('scale kured away before the policy is applied: both would drain the same nodes');
  return {
    tool: 'kured',
    title: workload.title,
    policies: [draftPolicy('kured', spec)],
    agent: { config, ...placeOf(workload) },
    rows: rowsOf(settings, kuredFlags),
    toDo,
  };
}

function rebootOf(settings: Settings): Record<string, unknown> | null {
  const command = last(settings, 'reboot-command');
  const isSignal = last(settings, 'reboot-method') === 'signal';
  const signal = last(settings, 'reboot-signal');
  const fields = present({
    method: isSignal ? 'Signal' : null,
    command: isSignal || command === undefined ? null : wordsOf(command),
    signal: isSignal && signal !== undefined ? Number(signal) : null,
    delayBefore: spanOf(last(settings, 'reboot-delay')),
  });
  return Object.keys(fields).length > 0 ? fields : null;
}

/** As a shell would cut it, without expanding anything. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? '');
}

function scheduleOf(settings: Settings, toDo: string[]): object | null {
  const zone = last(settings, 'time-zone') ?? 'UTC';
  const windows = windowsOf(
    last(settings, 'reboot-days') ?? 'su,mo,tu,we,th,fr,sa',
    last(settings, 'start-time') ?? '0:00',
    last(settings, 'end-time') ?? '23:59:59',
  );
  if (!windows) return null;
  if (zone.toLowerCase() === 'local')
    toDo.push('time-zone is Local: write the zone of your machines into spec.schedule.timeZone');
  return { timeZone: zone.toLowerCase() === 'local' ? 'UTC' : zone, windows };
}

function gatesOf(settings: Settings): Record<string, unknown> | null {
  const url = last(settings, 'prometheus-url');
  const filter = last(settings, 'alert-filter-regexp');
  const selectors = settings.of.get('blocking-pod-selector') ?? [];
  const alerts = present({
    ignore: isOn(settings, 'alert-filter-match-only') ? null : filter,
    only: isOn(settings, 'alert-filter-match-only') ? filter : null,
    pending: !isOn(settings, 'alert-firing-only'),
  });
  const gates = present({
    pods:
      selectors.length > 0
        ? selectors.map((text) => ({ podSelector: { matchExpressions: parseSelectorText(text).map(written) } }))
        : null,
    prometheus: url ? [{ url: url.replace(/\/$/, ''), alerts }] : null,
  });
  return Object.keys(gates).length > 0 ? gates : null;
}

type Requirement = ReturnType<typeof parseSelectorText>[number];
const written = ({ key, operator, values }: Requirement) => ({ key, operator, ...(values.length > 0 && { values }) });

function drainOf(settings: Settings): Record<string, unknown> {
  const timeout = spanOf(last(settings, 'drain-timeout'));
  const only = parseSelectorText(last(settings, 'drain-pod-selector') ?? '');
  const forces = isOn(settings, 'force-reboot') && timeout !== null;
  return present({
    barePods: 'Evict', // kured drains with --force
    ...graceOf(last(settings, 'drain-grace-period')),
    rules:
      only.length > 0 ? only.map((each) => ({ podSelector: { matchExpressions: [written(negated(each))] }, do: 'Skip' })) : null,
    // To step aside before the ladder deletes would mean never to get there.
    stepAside: forces ? formatDuration(parseDuration(timeout) + 1_800_000) : timeout,
    ladder: forces ? [{ after: timeout, do: 'Delete' }] : null,
  });
}

function notifyOf(settings: Settings, toDo: string[]): readonly object[] | null {
  const address = last(settings, 'notify-url');
  const slack = last(settings, 'slack-hook-url') !== undefined || settings.hidden.has('slack-hook-url');
  if (address === undefined && !slack && !settings.hidden.has('notify-url')) return null;
  const messages = present({
    Started: last(settings, 'message-template-drain'),
    Rebooting: last(settings, 'message-template-reboot'),
    HandedBack: last(settings, 'message-template-uncordon'),
  });
  const known = address === undefined ? null : channelOfShoutrrr(address, SECRET);
  if (address !== undefined && !known) {
    toDo.push('notify-url names a service that Drover does not speak; see spec.notify for those that it does');
    return null;
  }
  if (settings.hidden.has('notify-url')) {
    toDo.push('notify-url comes from a Secret whose service is not known here; write spec.notify');
    return null;
  }
  const channel = known?.channel ?? { type: 'Slack', slack: { webhook: secretRef(SECRET, 'webhook') } };
  toDo.push(...(known?.toDo ?? [secretToDo(SECRET, 'webhook', 'the webhook address of Slack')]));
  const on = ['Started', 'Rebooting', 'HandedBack', 'Waiting', 'Failed'];
  return [{ name: 'kured', channel, on, ...(Object.keys(messages).length > 0 && { messages }) }];
}
