-- What is written in a week of reports on bets: each over columns of the trap data under names of the trade.

-- facts: 88 109 123
with bets as (select id, grp as shop, coalesce(d, date '2024-01-01') as placed_on, coalesce(n, 0) as stake, b as won, m as payout from t)
select shop, date_trunc('month', placed_on)::date as month, count(*) as bets, sum(stake) as turnover, sum(case when won then payout else 0 end) as paid,
    sum(stake) - sum(payout) filter (where won) as ggr, round(100.0 * sum(payout) filter (where won) / nullif(sum(stake), 0), 2) as rtp
from bets where id <> 4 group by shop, date_trunc('month', placed_on) order by shop nulls first, month desc;

-- facts: 115 117
-- needs: running-aggregate redshift
-- needs: missing-neighbour redshift
with daily as (select coalesce(grp, '-') as shop, ts::date as day, sum(coalesce(j, 0)) as ggr from t where ts is not null group by 1, 2)
select shop, day, ggr, sum(ggr) over (partition by shop order by day) as running, lag(ggr, 1, 0) over (partition by shop order by day) as before,
    avg(ggr) over (partition by shop order by day rows between 6 preceding and current row) as week_mean, sum(ggr) over (order by date_trunc('year', day)) as of_year
from daily;

-- Cohorts and retention.
-- facts: 99 101
with firsts as (select grp as customer, min(date_trunc('month', ts)) as cohort from t where ts is not null group by grp),
    activity as (select distinct t.grp as customer, date_trunc('month', t.ts) as month from t where t.ts is not null)
select f.cohort::date as cohort, (extract(year from a.month) - extract(year from f.cohort)) * 12 + extract(month from a.month) - extract(month from f.cohort) as months_on,
    count(distinct a.customer) as customers
from firsts as f join activity as a on a.customer = f.customer group by 1, 2;

-- Sessions by gaps of half an hour.
-- facts: 97 98 115
-- needs: duration redshift
with marked as (
    select id, grp, ts, case when ts - lag(ts) over (partition by grp order by ts, id) > interval '30 minutes' or lag(ts) over (partition by grp order by ts, id) is null
        then 1 else 0 end as starts
    from t where ts is not null
)
select id, grp, grp || '-' || sum(starts) over (partition by grp order by ts)::text as session from marked;

-- Gaps and islands.
-- facts: 96 121
with days as (select distinct grp, d from t where d is not null),
    numbered as (select grp, d, d - (row_number() over (partition by grp order by d))::integer as island from days)
select grp, min(d) as first_day, max(d) as last_day, count(*) as length, max(d) - min(d) + 1 as span from numbered group by grp, island;

-- The first of each, the last three of each.
-- facts: 124 126
-- needs: distinct-on redshift
select distinct on (grp) grp, id, ts, coalesce(v, '?') as label from t order by grp, ts desc nulls last, id;

-- facts: 121 125
select shop, id, place from (
    select grp as shop, id, row_number() over (partition by grp order by n desc nulls last, id) as place, dense_rank() over (order by j desc) as of_all from t
) as ranked where place <= 3 and of_all > 0;

-- Pivots by FILTER and by CASE.
-- facts: 109
-- needs: filter redshift
select grp, count(*) filter (where extract(dow from d) in (0, 6)) as weekend, count(*) filter (where extract(isodow from d) between 1 and 5) as week,
    coalesce(sum(n) filter (where v like 'a%'), 0) as a, max(ts) filter (where b is true) as last_won, count(distinct v) filter (where not b) as lost
from t where id <> 4 group by grp;

-- A spine of days, left joined.
-- facts: 106
-- needs: series redshift
with spine as (select generate_series.day::date as day from generate_series(date '2024-02-27', date '2024-03-02', interval '1 day') as generate_series (day))
select spine.day, to_char(spine.day, 'Dy DD Mon') as label, coalesce(count(t.id), 0) as bets, coalesce(sum(t.j), 0) as total
from spine left join t on t.d = spine.day group by spine.day order by spine.day;

-- facts: 106 128
-- needs: series redshift
with spine as (select d::date as day from generate_series((select min(d) from t where d > date '2024-02-01'), (select max(d) from t where d < date '2024-04-01'), '1 day'::interval) as d),
    shops as (select distinct coalesce(grp, '?') as shop from t)
select shops.shop, spine.day, count(t.id) as bets from spine cross join shops left join t on t.grp = shops.shop and t.d = spine.day group by 1, 2;

-- facts: 106
-- needs: series redshift
select month::date as first, (month + interval '1 month' - interval '1 day')::date as last, extract(quarter from month) as quarter
from generate_series(date_trunc('month', (select min(ts) from t where id in (1, 2))), date_trunc('month', timestamp '2024-06-15'), interval '1 month') as month;

-- Month over month.
-- facts: 117 38
with monthly as (select date_trunc('month', ts) as month, sum(n) as total from t where id <> 4 and ts is not null group by 1)
select to_char(month, 'YYYY-MM') as month, total, total - lag(total) over (order by month) as change,
    round((total - lag(total) over (order by month)) / nullif(abs(lag(total) over (order by month)), 0) * 100, 1) as percent,
    first_value(total) over (order by month) as first, max(total) over () as best
from monthly order by 1;

-- Percentiles of stakes, and a median beside another.
-- facts: 110 64
-- needs: several-orders redshift
select grp, percentile_cont(0.5) within group (order by j) as median, percentile_cont(0.9) within group (order by id) as p90, percentile_disc(0.5) within group (order by j) as typical,
    avg(j) as mean, min(j) as low, max(j) as high from t group by grp;

-- Shares, ranks and deciles.
-- facts: 121 40
select id, n, round(n / sum(n) over (), 6) as share, ntile(4) over (order by n, id) as quarter, cume_dist() over (order by n) as cumulated, percent_rank() over (order by n) as rank
from t where n is not null and id <> 4;

-- A bet's legs in one text, and odds multiplied.
-- facts: 61 58
select t.id, string_agg(u.k || ' @ ' || coalesce(u.w::text, 'n/a'), ' / ' order by u.k, u.w) as legs, count(u.k) as leg_count, round(exp(sum(ln(abs(u.k)::double precision)))::numeric, 4) as product
from t join u on u.grp = t.grp group by t.id;

-- Times of day in the zone of the shop.
-- facts: 105 90
select id, (tz at time zone 'Europe/London')::date as day, date_trunc('week', tz at time zone 'Europe/London')::date as week, extract(hour from tz at time zone 'Europe/London') as hour,
    to_char(tz at time zone 'Europe/Vienna', 'YYYY-MM-DD HH24:MI') as local, date_trunc('day', tz, 'Europe/Vienna') as starts, (tz at time zone 'Europe/Vienna')::time as clock
from t;

-- Latest state of each account with what it was before.
-- facts: 124 117
select grp, id, coalesce(lag(b::text) over (partition by grp order by ts, id), 'none') as before, lead(ts) over (partition by grp order by ts, id) as valid_to,
    coalesce(lead(ts) over (partition by grp order by ts, id), timestamp '9999-12-31') > timestamp '2024-01-01' as is_current
from t where ts is not null;

-- Money: cents, rounding, tax, allocations.
-- facts: 36 38 45
select id, j / 2 as half, j % 2 as odd, round(n * 1.2, 2) as gross, trunc(n / 3, 2) as third, (n * 100)::bigint as cents, ceil(n) as up, floor(n) as down, round(n / 1.05, 2) as net,
    sign(n) as sign, abs(n) as size, greatest(n, 0) as positive, nullif(n, 0) as filled from t where id <> 4;

-- Odds: fractional to decimal, implied probability, bands.
-- facts: 36 79
select id, 1 + split_part('5/2', '/', 1)::numeric(10,2) / split_part('5/2', '/', 2)::numeric(10,2) as odds, round(1 / nullif(m, 0), 4) as implied,
    case when m < 2 then 'short' when m between 2 and 4.5 then 'middle' when m > 4.5 then 'long' else 'none' end as band, floor(m / 0.5) * 0.5 as bucket
from t where id <> 4;

-- Deduplication, anti-joins and semi-joins.
-- facts: 54 127
select id from t where not exists (select 1 from u where u.grp = t.grp and u.w is not null) and id not in (select k from u where k is not null) or v in (select grp from u);

-- Reconciliation: what is in one and not in the other.
-- facts: 131
select coalesce(a.grp, b.grp) as grp, a.total, b.total as other, a.total is distinct from b.total as differs, coalesce(a.total, 0) - coalesce(b.total, 0) as gap
from (select grp, sum(j) as total from t group by grp) as a full join (select grp, sum(w) as total from u group by grp) as b on a.grp = b.grp;

-- Totals below.
-- facts: 139 54
select case when grouping(grp) = 1 then 'all' else coalesce(grp, '?') end as shop, b, sum(j) as total, count(*) as bets from t group by rollup (grp, b);

-- Names, mails, phones.
-- facts: 66 67 68 80 82
select id, initcap(lower(trim(v))) as name, split_part('a.b@c.com', '@', 2) as domain, regexp_replace('+44 (0)20-7', '[^0-9]', '', 'g') as digits, lpad(id::text, 6, '0') as code,
    substring(s from '[a-z]+') as word, left(v, 1) || repeat('*', greatest(length(v) - 1, 0)) as masked, s ilike '%ABC%' as has, position('b' in s) as place, upper(substr(v, 2, 2)) as part,
    md5(coalesce(v, '') || '|' || coalesce(id::text, '')) as key, replace(s, 'a', '') as without, char_length(s) as length, concat_ws('-', grp, v, null, 'x') as path
from t where id <> 8;

-- Ages of open bets, due dates, working days.
-- facts: 87 96 101
select id, date '2024-12-31' - d as days_open, d + 30 as due, d + interval '1 month' as next, (date_trunc('month', d) + interval '1 month - 1 day')::date as month_end,
    extract(week from d) as week, extract(doy from d) as day_of_year, case when extract(isodow from d) in (6, 7) then 'weekend' else to_char(d, 'FMDay') end as kind,
    ts::date - d as lag_days, extract(epoch from (ts - d::timestamp)) / 3600 as hours, d - interval '1 week' as before, d >= date '2024-12-31' - interval '90 days' as recent
from t;

-- A history by recursion.
-- facts: 134
with recursive chain (n, day) as (select 1, date '2024-01-31' union all select n + 1, (day + interval '1 month')::date from chain where n < 5)
select n, day from chain;

-- Slowly changing dimension joined at its time.
-- facts: 123
select t.id, u.k, u.moment from t left join u on u.grp = t.grp and t.ts >= u.moment and (t.ts < u.moment + interval '1 day' or u.w is null);

-- Payload of a till event.
-- facts: 145 147
select id, doc ->> 'text' as text, (doc -> 'a' ->> 'b') as b, coalesce(doc ->> 'flag', 'false')::boolean as flag, (doc ->> 'Mixed')::integer + 1 as mixed, doc -> 'list' ->> 0 as first,
    doc ->> 'text' is null as no_text, length(doc ->> 'text') as size
from t where id not in (4, 6, 7);

-- Union of sources with their names, limited.
-- facts: 133 123
select 'till' as source, grp, j as amount from t where j > 0 union all select 'web', grp, w from u union all select 'none', null, null order by source, amount desc, grp limit 12;

-- Ratios per customer above the mean of all.
-- facts: 40 36
select grp, sum(j) as total from t group by grp having sum(j) > (select avg(j) from t) and count(*) > 1;

-- Weighted mean, harmonic mean, variance by hand.
-- facts: 38 41
select grp, round(sum(j * n) / nullif(sum(n), 0), 6) as weighted, round(avg(j * j) - avg(j) * avg(j), 6) as variance, stddev(f) as deviation from t where id <> 4 and f > -1000 group by grp;

-- Buckets of a histogram.
-- facts: 50
select floor((j + 5) / 4.0) as bucket, count(*) as c, repeat('#', count(*)::integer) as bar from t group by floor((j + 5) / 4.0);

-- Flags and defaults.
-- facts: 19 22
select id, coalesce(b, false) as flag, b is not true as not_won, (not coalesce(b, true))::integer as lost, case when b then 1 end as one, nullif(trim(v), '') as name, b::text as spelled,
    coalesce(nullif(v, ''), grp, 'unknown') as label, bool_or(b) over (partition by grp) as any_won from t;

-- Streaks of wins.
-- facts: 115
with runs as (select id, grp, b, sum(case when b then 0 else 1 end) over (partition by grp order by id) as streak, count(*) over (partition by grp order by j) as so_far from t)
select grp, streak, count(*) filter (where b) as length, max(so_far) as most from runs group by grp, streak;

-- Exposure over time: what is open at each moment.
-- facts: 115 128
-- needs: running-aggregate redshift
select moment, delta, sum(delta) over (order by moment) as open from (
    select ts as moment, 1 as delta from t where ts is not null union all select ts + interval '2 days', -1 from t where ts is not null) as events;

-- Best price of each market beside the rest.
-- facts: 126
-- needs: lateral redshift
select t.id, best.w, stats.c, stats.total from t left join lateral (select u.w from u where u.grp = t.grp order by u.w desc nulls last limit 1) as best on true
    left join lateral (select count(*) as c, sum(u.w) as total from u where u.grp = t.grp) as stats on true;

-- Currency of the day, the last known one.
-- facts: 126
-- needs: lateral redshift
select t.id, t.d, rate.k from t left join lateral (select u.k from u where u.grp = t.grp and u.w > 0 order by u.moment desc nulls last, u.k limit 1) as rate on true;

-- Labels of periods.
-- facts: 102
-- needs: date-format duckdb
select id, to_char(d, 'YYYY-"Q"Q') as quarter, to_char(d, 'IYYY-"W"IW') as week, to_char(ts, 'FMDay, FMDD FMMonth YYYY') as long, to_char(d, 'MON-YY') as short, 'FY' || extract(year from d + interval '3 months')::text as fiscal
from t;
