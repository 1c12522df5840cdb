/** What is said about gates and the breaker. */
import { isoSeconds } from '../journal.ts';
import { duration, listed, nodeOf, passing, type Sentence, wait } from '../phrasing.ts';
import type { Blocker } from '../blocker.ts';

type GateCause = Extract<Blocker['cause'], 'BreakerOpen' | `Gate${string}`>;

export const gateSentences: { readonly [C in GateCause]: Sentence<C> } = {
  BreakerOpen: ({ policy, since, failures }) =>
    wait(
      `policy ${policy} starts nothing new since ${isoSeconds(since)}: ${failures === 1 ? 'a maintenance' : `${failures} maintenances`} of it failed`,
      `\`drover resume policy/${policy}\` once you have looked at them (\`drover status --all\`)`,
    ),
  GateAsked: ({ policy, gate }) => passing(`gate ${gate} of policy ${policy} is being asked`, 'its answer'),
  GateUnanswered: ({ policy, gate, message, since }) =>
    wait(
      `gate ${gate} of policy ${policy} cannot be asked since ${isoSeconds(since)}, and counts as closed: ${message}`,
      'an answer from there, or another spec.gates of the policy',
    ),
  GatePods: ({ policy, gate, node, pods }) =>
    passing(
      `gate ${gate} of policy ${policy} is closed by ${pods.length === 1 ? 'a pod' : `${pods.length} pods`}${node === null ? '' : ` on node ${node}`}: ${listed(pods)}`,
      `${pods.length === 1 ? 'it' : 'all of them'} ending`,
    ),
  GateAlerts: ({ policy, gate, from, alerts }) =>
    passing(
      `gate ${gate} of policy ${policy} is closed by ${alerts.length === 1 ? 'an alert' : `${alerts.length} alerts`}: ${listed(alerts)}`,
      from === 'Alertmanager'
        ? `${alerts.length === 1 ? 'it' : 'all of them'} being resolved or silenced`
        : `${alerts.length === 1 ? 'it' : 'all of them'} being resolved; a silence does not show in Prometheus, only in spec.gates.alertmanager`,
    ),
  GateQuery: ({ policy, gate, result }) =>
    passing(`gate ${gate} of policy ${policy} is closed by the result of its query: ${result}`, 'another result'),
  GateHttp: ({ policy, gate, found }) =>
    passing(`gate ${gate} of policy ${policy} is closed: ${found}`, 'the answer that it demands'),
  GateNotSettled: ({ policy, gate, what, until }) =>
    passing(
      until === null
        ? `gate ${gate} of policy ${policy} is closed, because not everything is well: ${listed(what)}`
        : `gate ${gate} of policy ${policy} is closed until ${isoSeconds(until)}: everything is well, but not for long enough`,
      until === null ? 'those getting well' : 'time',
    ),
  GateApproval: ({ policy, gate, validForMs, stale }, _, by) =>
    wait(
      `policy ${policy} starts nothing without approval (gate ${gate})${stale ? `; that of ${stale.by}, given ${isoSeconds(stale.at)}, was good for ${duration(validForMs)}` : ''}`,
      `\`drover approve ${nodeOf(by)}\`, or \`drover approve policy/${policy}\` for all of them`,
    ),
};
