/** Teams: an adaptive card to a Workflow. The connectors of Office 365, which took plain texts, are being retired. */
import type { ChannelSpec } from '../../api/notify-channel.ts';
import { type Channel, type ChannelDeps, shortened } from '../channel.ts';
import { expectOk } from '../http.ts';
import type { Severity } from '../notice.ts';

type Spec = NonNullable<ChannelSpec['teams']>;

const colors = { info: 'default', success: 'good', warning: 'warning', error: 'attention' } as const satisfies Record<
  Severity,
  string
>;
// A card may have 28 KB.
const MAX_TEXT = 8_000;

export function teams(spec: Spec, { http, secret, text, quote }: ChannelDeps): Channel {
  return {
    edits: false,
    resolves: false,
    async deliver(notice) {
      const [title = '', ...rest] = shortened(text(notice), MAX_TEXT).split('\n');
      const block = (line: string, more: object = {}) => ({ type: 'TextBlock', text: line, wrap: true, ...more });
      const content = {
        $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
        type: 'AdaptiveCard',
        version: '1.4',
        body: [
          block(title, { weight: 'bolder', color: colors[notice.severity] }),
          ...rest.filter((line) => line !== '').map((line) => block(line)),
        ],
      };
      const body = { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', content }] };
      const answer = await http({
        method: 'POST',
        url: await secret(spec.webhook),
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expectOk(answer, quote(answer.text));
      return null;
    },
    close: async () => {},
  };
}
