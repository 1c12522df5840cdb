/** Discord: a webhook, which names its messages and can edit them. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import { type Channel, type ChannelDeps, DeliveryError, shortened } from '../channel.ts';
import { expectOk, type HttpAnswer, jsonOf } from '../http.ts';

type Spec = NonNullable<ChannelSpec['discord']>;

const MAX_TEXT = 2_000;

export function discord(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  const check = (answer: HttpAnswer) => {
    const { message, retry_after: seconds } = jsonOf(answer);
    const retryAfterMs = typeof seconds === 'number' ? seconds * 1_000 : answer.retryAfterMs;
    expectOk({ ...answer, retryAfterMs }, typeof message === 'string' ? quote(message) : '');
  };
  return {
    edits: true,
    resolves: false,
    async deliver(notice, earlier) {
      const written = await secret(spec.webhook);
      if (!URL.canParse(written)) throw new DeliveryError('the address is not an http or https address', { again: false });
      const headers = { 'content-type': 'application/json' };
      // Nobody is to be called by what a node or a pod is named.
      const message = { content: shortened(text(notice), MAX_TEXT), allowed_mentions: { parse: [] } };
      if (notice.kind === 'State' && earlier !== null) {
        const url = new URL(written);
        url.pathname = `${url.pathname.replace(/\/$/, '')}/messages/${encodeURIComponent(earlier)}`;
        const answer = await http({ method: 'PATCH', url: url.href, headers, body: JSON.stringify(message) });
        // Somebody has deleted the message: 10008 is "unknown message".
        if (answer.status !== 404 || jsonOf(answer)['code'] !== 10_008) {
          check(answer);
          return earlier;
        }
      }
      const url = new URL(written);
      url.searchParams.set('wait', 'true');
      const body = JSON.stringify({ ...message, ...(spec.username !== undefined && { username: spec.username }) });
      const answer = await http({ method: 'POST', url: url.href, headers, body });
      check(answer);
      const { id } = jsonOf(answer);
      return notice.kind === 'Alert' ? earlier : typeof id === 'string' ? id : null;
    },
    close: async () => {},
  };
}
