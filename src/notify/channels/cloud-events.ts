/** CloudEvents 1.0 over HTTP, structured or binary. Its id is the same in a repetition. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import type { Channel, ChannelDeps } from '../channel.ts';
import { expectOk } from '../http.ts';
import type { Notice } from '../notice.ts';
import { toJson } from '../template/value.ts';
import { headersOf, urlOf } from './headers.ts';

type Spec = NonNullable<ChannelSpec['cloudEvents']>;

export function cloudEvents(spec: Spec, deps: ChannelDeps): Channel {
  return {
    edits: false,
    resolves: false,
    async deliver(notice) {
      const own = await headersOf(spec.headers, deps);
      const attributes = attributesOf(notice, spec.source);
      const data = toJson(notice.markers);
      const message =
        spec.mode === 'Structured'
          ? {
              headers: { 'content-type': 'application/cloudevents+json; charset=utf-8' },
              body: `${JSON.stringify({ ...attributes, datacontenttype: 'application/json' }).slice(0, -1)},"data":${data}}`,
            }
          : {
              headers: {
                'content-type': 'application/json',
                ...Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce-${name}`, headerText(value)])),
              },
              body: data,
            };
      const answer = await deps.http({
        method: 'POST',
        url: await urlOf(spec, deps),
        headers: { ...message.headers, ...own },
        body: message.body,
      });
      expectOk(answer, deps.quote(answer.text));
      return null;
    },
    close: async () => {},
  };
}

function attributesOf({ topic, thread, key, at, subject }: Notice, source: string) {
  return {
    specversion: '1.0',
    id: `${thread}/${key}`,
    source,
    type: `dev.drover.${topic === 'Run' ? 'run' : 'node'}.${topic.toLowerCase()}`,
    subject,
    time: new Date(at).toISOString(),
  };
}

/** CloudEvents over HTTP, 3.1.3.2: percent-encoded beyond printable ASCII, and so are space, quote and percent. */
function headerText(value: string): string {
  return value.replaceAll(/[^\x21-\x7e]|["%]/gu, encodeURIComponent);
}
