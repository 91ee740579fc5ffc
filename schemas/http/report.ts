import { Closed } from '../closed.ts';
import { Report } from '../report.ts';

const { items: _items, ...HEAD } = Report.properties;

/** The report of a submission without its items, which its matches and leads tell. */
export const ReportAnswer = Closed(HEAD);
