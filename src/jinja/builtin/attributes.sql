{# What hangs on a relation besides its rows: descriptions and privileges. #}

{% macro persist_docs(relation, model, for_relation=true, for_columns=true) %}{{ return(adapter.dispatch('persist_docs', 'dbt')(relation, model, for_relation, for_columns)) }}{% endmacro %}
{% macro default__persist_docs(relation, model, for_relation, for_columns) %}
    {%- if for_relation and config.persist_relation_docs() and model.description -%}
        {%- do run_query(alter_relation_comment(relation, model.description)) -%}
    {%- endif -%}
    {%- if for_columns and config.persist_column_docs() and model.columns -%}
        {%- set statements = alter_column_comment(relation, model.columns) | trim -%}
        {%- if statements -%}{%- do run_query(statements) -%}{%- endif -%}
    {%- endif -%}
{% endmacro %}

{% macro alter_relation_comment(relation, relation_comment) %}{{ return(adapter.dispatch('alter_relation_comment', 'dbt')(relation, relation_comment)) }}{% endmacro %}
{% macro default__alter_relation_comment(relation, relation_comment) -%}
    comment on {{ _kind_in_sql(relation) }} {{ relation }} is '{{ dbt.escape_single_quotes(relation_comment) }}'
{%- endmacro %}

{% macro alter_column_comment(relation, column_dict) %}{{ return(adapter.dispatch('alter_column_comment', 'dbt')(relation, column_dict)) }}{% endmacro %}
{% macro default__alter_column_comment(relation, column_dict) %}
    {%- set held = adapter.get_columns_in_relation(relation) | map(attribute='name') | list -%}
    {%- for name in column_dict if name in held %}
        {%- set column = column_dict[name] %}
        comment on column {{ relation }}.{{ adapter.quote(name) if column.quote else name }} is '{{ dbt.escape_single_quotes(column.description) }}';
    {%- endfor %}
{% endmacro %}

{% macro copy_grants() %}{{ return(adapter.dispatch('copy_grants', 'dbt')()) }}{% endmacro %}
{% macro default__copy_grants() %}{{ return(false) }}{% endmacro %}

{% macro support_multiple_grantees_per_dcl_statement() %}{{ return(adapter.dispatch('support_multiple_grantees_per_dcl_statement', 'dbt')()) }}{% endmacro %}
{% macro default__support_multiple_grantees_per_dcl_statement() %}{{ return(true) }}{% endmacro %}

{# A relation that is made anew has no privileges to take away. #}
{% macro should_revoke(existing_relation, full_refresh_mode=true) %}
    {{ return(existing_relation is not none and (not full_refresh_mode or copy_grants())) }}
{% endmacro %}

{% macro get_show_grant_sql(relation) %}{{ return(adapter.dispatch('get_show_grant_sql', 'dbt')(relation)) }}{% endmacro %}
{% macro default__get_show_grant_sql(relation) -%}
    select grantee, privilege_type
    from information_schema.role_table_grants
    where table_schema = '{{ dbt.escape_single_quotes(relation.schema) }}'
      and table_name = '{{ dbt.escape_single_quotes(relation.identifier) }}'
      and grantor = current_role
      and grantee <> current_role
{%- endmacro %}

{% macro get_grant_sql(relation, privilege, grantees) %}{{ return(adapter.dispatch('get_grant_sql', 'dbt')(relation, privilege, grantees)) }}{% endmacro %}
{% macro default__get_grant_sql(relation, privilege, grantees) -%}
    grant {{ privilege }} on {{ relation }} to {{ grantees | join(', ') }}
{%- endmacro %}

{% macro get_revoke_sql(relation, privilege, grantees) %}{{ return(adapter.dispatch('get_revoke_sql', 'dbt')(relation, privilege, grantees)) }}{% endmacro %}
{% macro default__get_revoke_sql(relation, privilege, grantees) -%}
    revoke {{ privilege }} on {{ relation }} from {{ grantees | join(', ') }}
{%- endmacro %}

{% macro get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}{{ return(adapter.dispatch('get_dcl_statement_list', 'dbt')(relation, grant_config, get_dcl_macro)) }}{% endmacro %}
{% macro default__get_dcl_statement_list(relation, grant_config, get_dcl_macro) %}
    {%- set statements = [] -%}
    {%- for privilege in grant_config if grant_config[privilege] -%}
        {%- set grantees = grant_config[privilege] -%}
        {%- if support_multiple_grantees_per_dcl_statement() -%}
            {%- do statements.append(get_dcl_macro(relation, privilege, grantees)) -%}
        {%- else -%}
            {%- for grantee in grantees -%}{%- do statements.append(get_dcl_macro(relation, privilege, [grantee])) -%}{%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(statements) }}
{% endmacro %}

{% macro call_dcl_statements(dcl_statement_list) %}{{ return(adapter.dispatch('call_dcl_statements', 'dbt')(dcl_statement_list)) }}{% endmacro %}
{% macro default__call_dcl_statements(dcl_statement_list) %}
    {%- for sql in dcl_statement_list -%}{%- do run_query(sql) -%}{%- endfor -%}
{% endmacro %}

{# Privileges become those of the configuration; where relations carry nothing over, there is nothing to take away. #}
{% macro apply_grants(relation, grant_config, should_revoke=true) %}{{ return(adapter.dispatch('apply_grants', 'dbt')(relation, grant_config, should_revoke)) }}{% endmacro %}
{% macro default__apply_grants(relation, grant_config, should_revoke=true) %}
    {%- if not grant_config -%}{{ return('') }}{%- endif -%}
    {%- set held = adapter.standardize_grants_dict(run_query(get_show_grant_sql(relation))) if should_revoke else {} -%}
    {%- set given, taken = {}, {} -%}
    {%- for privilege in grant_config -%}
        {%- set wanted = grant_config[privilege] -%}
        {%- set wanted = [wanted] if wanted is string else wanted -%}
        {%- do given.update({privilege: wanted | reject('in', _held_by(held, privilege)) | list}) -%}
    {%- endfor -%}
    {%- for privilege in held -%}
        {%- do taken.update({privilege: held[privilege] | reject('in', _held_by(grant_config, privilege)) | list}) -%}
    {%- endfor -%}
    {%- do call_dcl_statements(get_dcl_statement_list(relation, taken, get_revoke_sql) + get_dcl_statement_list(relation, given, get_grant_sql)) -%}
{% endmacro %}
{# Engines write privileges in capitals, projects do not. #}
{% macro _held_by(grants, privilege) %}
    {%- for name in grants if name | lower == privilege | lower -%}
        {{ return([grants[name]] if grants[name] is string else grants[name]) }}
    {%- endfor -%}
    {{ return([]) }}
{% endmacro %}
{# An engine without users has no privileges. #}
{% macro duckdb__apply_grants(relation, grant_config, should_revoke=true) %}{% endmacro %}
