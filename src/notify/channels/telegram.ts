/** Telegram: sendMessage, and editMessageText for what goes on. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import { type Channel, type ChannelDeps, DeliveryError, shortened } from '../channel.ts';
import { jsonOf } from '../http.ts';

type Spec = NonNullable<ChannelSpec['telegram']>;

const MAX_TEXT = 4_096;

export function telegram(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  const call = async (method: 'sendMessage' | 'editMessageText', body: object) => {
    const answer = await http({
      method: 'POST',
      url: `${spec.apiUrl}/bot${await secret(spec.token)}/${method}`,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const { ok, description, result, parameters } = jsonOf(answer);
    const why = typeof description === 'string' ? description : '';
    if (ok === true) return { why: '', id: (result as { message_id?: number } | undefined)?.message_id };
    if (method === 'editMessageText' && answer.status === 400 && /not modified|to edit not found|can't be edited/.test(why))
      return { why, id: undefined };
    const seconds = (parameters as { retry_after?: number } | undefined)?.retry_after;
    throw new DeliveryError(`Telegram answered ${answer.status}${why === '' ? '' : `: ${quote(why)}`}`, {
      again: answer.status >= 500 || answer.status === 429,
      retryAfterMs: seconds === undefined ? answer.retryAfterMs : seconds * 1_000,
      unauthorized: answer.status === 401 || answer.status === 404,
    });
  };

  return {
    edits: true,
    resolves: false,
    async deliver(notice, earlier) {
      const chat = { chat_id: spec.chatId };
      const message = { text: shortened(text(notice), MAX_TEXT), link_preview_options: { is_disabled: true } };
      if (notice.kind === 'State' && earlier !== null) {
        const { why } = await call('editMessageText', { ...chat, message_id: Number(earlier), ...message });
        if (why === '' || why.includes('not modified')) return earlier;
      }
      const isAnswer = notice.kind === 'Alert' && earlier !== null;
      const { id } = await call('sendMessage', {
        ...chat,
        ...message,
        ...(spec.topicId !== undefined && { message_thread_id: spec.topicId }),
        ...(isAnswer && { reply_parameters: { message_id: Number(earlier), allow_sending_without_reply: true } }),
      });
      return notice.kind === 'Alert' || id === undefined ? earlier : String(id);
    },
    close: async () => {},
  };
}
