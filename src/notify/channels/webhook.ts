/** Any HTTP server, with the body as its template has it. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import type { Template } from '../../api/template/parse.ts';
import { type Channel, type ChannelDeps, DeliveryError } from '../channel.ts';
import { expectOk } from '../http.ts';
import type { Escape } from '../template/escape.ts';
import { render } from '../template/render.ts';
import { toJson } from '../template/value.ts';
import { headersOf, urlOf } from './headers.ts';

type Spec = NonNullable<ChannelSpec['webhook']>;

export function webhook(spec: Spec, body: Template | null, deps: ChannelDeps): Channel {
  const isJson = /[/+]json\b/i.test(spec.contentType);
  const escape: Escape = isJson ? 'Json' : /^text\/plain\b.*\bversion=0\.0\.4/i.test(spec.contentType) ? 'Exposition' : 'None';
  return {
    edits: false,
    resolves: false,
    async deliver(notice) {
      // A file may end without the newline that a Pushgateway needs; aks-node-termination-handler adds one to every body.
      const text = body ? `${render(body, notice.markers, escape).replace(/\n$/, '')}\n` : `${toJson(notice.markers)}\n`;
      if (isJson && body) requireJson(text);
      const answer = await deps.http({
        method: spec.method,
        url: await urlOf(spec, deps),
        headers: {
          ...(spec.method !== 'GET' && { 'content-type': spec.contentType }),
          ...(await headersOf(spec.headers, deps)),
        },
        ...(spec.method !== 'GET' && { body: text }),
      });
      expectOk(answer, deps.quote(answer.text));
      return null;
    },
    close: async () => {},
  };
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new DeliveryError(
      'the body that the template gives is not JSON; put markers into quotes, or write {{ .NodeLabels | toJson }}',
      {
        again: false,
      },
    );
  }
}
