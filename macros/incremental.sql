{#-
    What an incremental run writes: the rows of `final` whose key has other rows in the fact, or none. Times of loads cannot
    tell which those are: a corrected file takes rows away without a trace, and rates, results and names that a fact holds
    come late from tables of their own. So the fact is held against what it has to be, and a plain build is as right as a
    full refresh. Rows are counted too, so a settlement that was there twice is put right.
-#}
{% macro where_changed(fact, key) -%}
    where {{ key }} in (
        select {{ key }} from (select * from final except all select * from {{ fact }}) as added
        union all
        select {{ key }} from (select * from {{ fact }} except all select * from final) as gone
    )
{%- endmacro %}

{#- Post-hook of an incremental fact: rows whose key `relation` does not have any more leave the fact. -#}
{% macro delete_rows_gone_from(relation, key) -%}
    {%- if is_incremental() -%}
        delete from {{ this }}
        where {{ key }} in (select {{ key }} from {{ this }} except select {{ key }} from {{ relation }})
    {%- endif -%}
{%- endmacro %}
