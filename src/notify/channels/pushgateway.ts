/** Prometheus' Pushgateway: one group of metrics per node, replaced with each notice. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import type { Template } from '../../api/template/parse.ts';
import type { Channel, ChannelDeps } from '../channel.ts';
import { expectOk } from '../http.ts';
import type { Notice } from '../notice.ts';
import { labelValue } from '../template/escape.ts';
import { render } from '../template/render.ts';
import { formatted, type Value } from '../template/value.ts';

type Spec = NonNullable<ChannelSpec['pushgateway']>;

export function pushgateway(spec: Spec, body: Template | null, { http, secret, quote }: ChannelDeps): Channel {
  return {
    edits: false,
    resolves: false,
    async deliver(notice) {
      const login =
        spec.username === undefined || !spec.password
          ? {}
          : { authorization: `Basic ${Buffer.from(`${spec.username}:${await secret(spec.password)}`).toString('base64')}` };
      const text = body ? render(body, notice.markers, 'Exposition') : exposition(notice);
      const group = `${grouped('job', spec.job)}/${grouped('node', notice.subject)}`;
      const answer = await http({
        method: 'PUT',
        url: `${spec.url.replace(/\/$/, '')}/metrics/${group}`,
        headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8', ...login },
        body: `${text.replace(/\n$/, '')}\n`, // the last line must end, too
      });
      expectOk(answer, quote(answer.text));
      return null;
    },
    close: async () => {},
  };
}

function exposition({ topic, markers, at }: Notice): string {
  const label = (name: string, value: Value) => `${name}="${labelValue(formatted(value ?? ''))}"`;
  const labels = [label('topic', topic), label('policy', markers['Policy']), label('reason', markers['Reason'])].join(',');
  return [
    '# HELP drover_node_phase Always 1; the label topic says how the maintenance of the node stands.',
    '# TYPE drover_node_phase gauge',
    `drover_node_phase{${labels}} 1`,
    '# HELP drover_node_phase_timestamp_seconds Since when.',
    '# TYPE drover_node_phase_timestamp_seconds gauge',
    `drover_node_phase_timestamp_seconds ${at / 1_000}`,
  ].join('\n');
}

/** A slash ends a value, encoded or not: such a one goes as base64 (prometheus/pushgateway, README, "URL"). */
function grouped(name: string, value: string): string {
  return value.includes('/')
    ? `${name}@base64/${Buffer.from(value).toString('base64url')}`
    : `${name}/${encodeURIComponent(value)}`;
}
