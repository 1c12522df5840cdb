/** PagerDuty, Events API v2: what waits or has failed opens an incident, what ends well resolves it. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import { type Channel, type ChannelDeps, shortened } from '../channel.ts';
import { expectOk } from '../http.ts';
import type { NoticeTopic, Severity } from '../notice.ts';
import { toJson } from '../template/value.ts';

type Spec = NonNullable<ChannelSpec['pagerDuty']>;

const actions: Readonly<Partial<Record<NoticeTopic, 'trigger' | 'resolve'>>> = {
  Waiting: 'trigger',
  Failed: 'trigger',
  Drained: 'resolve',
  HandedBack: 'resolve',
  Cancelled: 'resolve',
};

const severities = { info: 'info', success: 'info', warning: 'warning', error: 'critical' } as const satisfies Record<
  Severity,
  string
>;
const MAX_SUMMARY = 1_024;

export function pagerDuty(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  const enqueue = async (event: object) => {
    const answer = await http({
      method: 'POST',
      url: `${spec.apiUrl}/v2/enqueue`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ routing_key: await secret(spec.routingKey), ...event }),
    });
    expectOk(answer, quote(answer.text));
  };
  return {
    edits: false,
    resolves: true,
    async deliver(notice) {
      const payload = {
        summary: shortened(text(notice), MAX_SUMMARY),
        source: notice.subject,
        severity: severities[notice.severity],
        timestamp: new Date(notice.at).toISOString(),
        component: 'drover',
        custom_details: JSON.parse(toJson(notice.markers)) as unknown,
      };
      if (notice.topic === 'Test') {
        // An incident that nobody needs to close.
        await enqueue({ event_action: 'trigger', dedup_key: notice.incident, payload });
        await enqueue({ event_action: 'resolve', dedup_key: notice.incident });
        return null;
      }
      const action = actions[notice.topic];
      if (action === 'trigger') await enqueue({ event_action: action, dedup_key: notice.incident, payload });
      if (action === 'resolve') await enqueue({ event_action: action, dedup_key: notice.incident });
      return null;
    },
    close: async () => {},
  };
}
