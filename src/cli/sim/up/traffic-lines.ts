import { failureCauses } from '../../../sim/traffic/failure-causes.ts';
import type { ServiceTraffic } from '../../../sim/traffic/traffic.ts';

/** One line a Service: "traffic to shop/web: 1200 requests, 3 failed (Reset 2, Refused 1), half within 15 ms, 99 % within 25 ms". */
export function trafficLines(report: readonly ServiceTraffic[]): string[] {
  return report.map(({ namespace, service, sent, failed, failures, latency }) => {
    const causes = failureCauses.flatMap((cause) => (failures[cause] > 0 ? [`${cause} ${failures[cause]}`] : []));
    const why = causes.length > 0 ? ` (${causes.join(', ')})` : '';
    const speed = latency ? `, half within ${Math.round(latency.p50)} ms, 99 % within ${Math.round(latency.p99)} ms` : '';
    return `traffic to ${namespace}/${service}: ${sent} request${sent === 1 ? '' : 's'}, ${failed} failed${why}${speed}`;
  });
}
