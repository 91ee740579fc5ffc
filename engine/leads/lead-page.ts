import type { Queryable } from '../store/db.ts';
import { integer, oneOf, real, row, text, timestamp } from '../store/row-shape.ts';
import { LEAD_STATES, type LeadState } from './verdicts.ts';

/** A lead as a list of many shows it: by number, without what it rests on. */
export interface ListedLead {
  readonly leadId: number;
  readonly mediaId: number;
  readonly state: LeadState;
  readonly log10LikelihoodRatio: number;
  readonly source: string;
  readonly series: string;
  /** Methods of the evidence in force, by comma. */
  readonly methods: string;
  readonly createdAt: string;
  readonly updatedAt: string;
}

const LEAD = row({
  leadId: integer,
  mediaId: integer,
  state: oneOf(LEAD_STATES),
  log10LikelihoodRatio: real,
  source: text,
  series: text,
  methods: text,
  createdAt: timestamp,
  updatedAt: timestamp,
});

export interface LeadPageFilter {
  readonly states: readonly LeadState[];
  /** Null: of every case that the member sees. */
  readonly batchId: string | null;
  readonly beforeLeadId: number | null;
  readonly most: number;
}

/** The latest first, for readers that see rows by policy: only columns that a member may read are asked for. */
export async function leadPage(db: Queryable, filter: LeadPageFilter): Promise<ListedLead[]> {
  return await db.read(
    LEAD,
    `select l.lead_id, l.media_id, l.state, l.log10_likelihood_ratio, s.source, s.name as series, l.created_at, l.updated_at,
            coalesce((select string_agg(method, ',' order by method) from (
                select method from match m where m.media_id = l.media_id and m.series_id = l.series_id and m.withdrawn_at is null
                union select method from model_match v where v.media_id = l.media_id and v.series_id = l.series_id and v.withdrawn_at is null
              ) of_lead), '') as methods
       from lead l join series s on s.series_id = l.series_id
      where l.state = any($1::text[]) and ($2::bigint is null or l.lead_id < $2)
        and ($3::uuid is null or exists (select from item i where i.media_id = l.media_id and i.batch_id = $3))
      order by l.lead_id desc limit $4`,
    [filter.states, filter.beforeLeadId, filter.batchId, filter.most],
  );
}

/** Whether the member may see this lead. */
export async function seesLead(db: Queryable, leadId: number): Promise<boolean> {
  return (await db.read(row({ leadId: integer }), 'select lead_id from lead where lead_id = $1', [leadId])).length > 0;
}
