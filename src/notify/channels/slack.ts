/** Slack: by an incoming webhook, which can only post, or by a bot's token, which edits its message and answers in its thread. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import { type Channel, type ChannelDeps, DeliveryError, shortened } from '../channel.ts';
import { expectOk, jsonOf } from '../http.ts';
import type { Notice } from '../notice.ts';

type Spec = NonNullable<ChannelSpec['slack']>;

// chat.update takes 4,000 characters; what is posted should be editable.
const MAX_TEXT = 3_900;
const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8' };

/** Errors of the Web API after which another try may succeed (docs.slack.dev, methods chat.postMessage and chat.update). */
const passing = new Set([
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  'ratelimited',
  'rate_limited',
]);
const unauthorized = new Set(['invalid_auth', 'not_authed', 'token_revoked', 'token_expired', 'account_inactive']);
const uneditable = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed']);

export function slack(spec: Spec, deps: ChannelDeps): Channel {
  return spec.token ? bot(spec, deps) : incomingWebhook(spec, deps);
}

function looks({ username, iconEmoji }: Spec) {
  return { ...(username !== undefined && { username }), ...(iconEmoji !== undefined && { icon_emoji: iconEmoji }) };
}

function incomingWebhook(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  return {
    edits: false,
    resolves: false,
    async deliver(notice) {
      if (!spec.webhook) throw new TypeError('a Slack channel without webhook and token');
      const body = {
        text: shortened(text(notice, 'Slack'), MAX_TEXT),
        ...(spec.channel !== undefined && { channel: spec.channel }),
        ...looks(spec),
      };
      const answer = await http({
        method: 'POST',
        url: await secret(spec.webhook),
        headers: JSON_TYPE,
        body: JSON.stringify(body),
      });
      expectOk(answer, quote(answer.text));
      return null;
    },
    close: async () => {},
  };
}

function bot(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  const call = async (
    method: 'chat.postMessage' | 'chat.update',
    body: object,
  ): Promise<{ error: string | null; ref: string }> => {
    if (!spec.token) throw new TypeError('a Slack bot without token');
    const answer = await http({
      method: 'POST',
      url: `${spec.apiUrl}/${method}`,
      headers: { ...JSON_TYPE, authorization: `Bearer ${await secret(spec.token)}` },
      body: JSON.stringify(body),
    });
    expectOk(answer, quote(answer.text));
    const { ok, error, channel, ts } = jsonOf(answer);
    if (ok === true) return { error: null, ref: `${String(channel)}/${String(ts)}` };
    const word = typeof error === 'string' ? error : 'an answer that is not Slack\u2019s';
    if (method === 'chat.update' && uneditable.has(word)) return { error: word, ref: '' };
    throw new DeliveryError(`Slack refused: ${quote(word)}`, {
      again: passing.has(word),
      retryAfterMs: answer.retryAfterMs,
      unauthorized: unauthorized.has(word),
    });
  };

  return {
    edits: true,
    resolves: false,
    async deliver(notice: Notice, earlier) {
      const message = { text: shortened(text(notice, 'Slack'), MAX_TEXT) };
      const [channel, ts] = earlier?.split('/') ?? [];
      if (notice.kind === 'State' && channel !== undefined && ts !== undefined) {
        const { error } = await call('chat.update', { channel, ts, ...message });
        if (error === null) return earlier;
      }
      const isAnswer = notice.kind === 'Alert' && ts !== undefined;
      // In the channel, too: those who do not follow the thread are to see it.
      const thread = isAnswer ? { thread_ts: ts, reply_broadcast: true } : {};
      const { ref } = await call('chat.postMessage', { channel: channel ?? spec.channel, ...message, ...looks(spec), ...thread });
      // What is to be noticed is never edited away.
      return notice.kind === 'Alert' ? earlier : ref;
    },
    close: async () => {},
  };
}
