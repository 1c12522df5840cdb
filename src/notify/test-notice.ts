import type { Millis } from '../lib/clock.ts';
import { noticeOf, type Place } from './node-news.ts';
import type { Notice } from './notice.ts';

/** What `drover notify test` sends: news of a node that is not there, so that templates have something to show. @param by who sends it */
export function testNotice(by: string, at: Millis, place: Place): Notice {
  const notice = noticeOf(
    {
      topic: 'Started',
      at,
      maintenance: 'drover-test',
      node: 'drover-test',
      labels: {
        'kubernetes.io/arch': 'amd64',
        'kubernetes.io/os': 'linux',
        'node.kubernetes.io/instance-type': 'test',
        'topology.kubernetes.io/region': 'test',
        'topology.kubernetes.io/zone': 'test-1',
      },
      policy: 'drover-test',
      reasonType: 'Manual',
      reason: `drover notify test by ${by}`,
      phase: 'Draining',
      startedAt: at,
      message: '',
      pods: [{ namespace: 'drover-test', name: 'drover-test-pod' }],
      waitKey: '',
      history: [],
    },
    place,
  );
  const where = place.clusterName === '' ? '' : `[${place.clusterName}] `;
  const text = `${where}test message of drover, sent by ${by}: nothing is drained`;
  const markers = { ...notice.markers, Topic: 'Test', Text: text, Message: text };
  return {
    ...notice,
    key: `Test@${Math.floor(at / 1_000)}`,
    topic: 'Test',
    title: text,
    text,
    markers,
    incident: `drover/test/${at}`,
  };
}
